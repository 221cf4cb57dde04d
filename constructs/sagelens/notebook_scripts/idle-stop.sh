#!/bin/bash
# Stops this notebook instance once nothing has been done on it for IDLE_MINUTES.
#
# A systemd timer runs it every five minutes, as root. What counts as work:
#   kernels    one that is busy, at once; an idle one by when it was last used. With OPEN_KERNELS=work
#              every open kernel, whatever it does, so that what is in its memory is kept;
#   terminals  by when something was last typed or printed;
#   jobs       programs of the notebook's user, also those that outlive their terminal, but for what
#              waits for a person (shells, editors), Jupyter itself, and what ran before anybody came.
# So a forgotten tab does not keep the instance, and a closed laptop does not end a night's job.
#
# Each run says in LOG, which SageMaker sends to Amazon CloudWatch Logs, why the instance goes on or
# is stopped, and reports its idle minutes as a metric: where that is not heard, the sweeper steps in.
# When the last work was stands in STATE, which outlives this script and Jupyter, not the instance.
#
# Sources: "Jupyter Server REST API"; "Notebook Instance Metadata" (Amazon SageMaker AI).
set -uo pipefail
export LC_ALL=C.UTF-8

: "${IDLE_MINUTES:?is not given}"
OPEN_KERNELS=${OPEN_KERNELS:-used}
ENVIRONMENT=${ENVIRONMENT:-}
JUPYTER_URL=${JUPYTER_URL:-https://localhost:8443}
METADATA=${METADATA:-/opt/ml/metadata/resource-metadata.json}
STATE=${STATE:-/run/sagelens/idle-stop}
LOG=${LOG:-/var/log/jupyter.log}
NOTEBOOK_USER=${NOTEBOOK_USER:-ec2-user}

# Command lines that wait for a person: a shell without a script, editors, pagers, Jupyter's own.
WAITING='^-?([^ ]*/)?(bash|sh|zsh|fish|tmux|screen|vi|vim|nano|emacs|less|more|man|top|htop)( -[^ ]*)*$'
WAITING+='|^([^ ]*/)?(vi|vim|nano|emacs|less|more|man|tmux|screen) '
WAITING+='|/jupyter(-| )(lab|labhub|notebook|server|serverproxy)( |$)|-m (jupyter_server|jupyterlab|notebook)( |$)'
WAITING+='| -m (ipykernel|ipykernel_launcher|bash_kernel|sparkmagic[^ ]*) |/IRkernel|ipykernel_launcher\.py'
WAITING+='|language-server|langserver|pylsp|/systemd --user|^\(sd-pam\)|dbus-daemon|ssh-agent|gpg-agent'
WAITING+='|git-credential-cache'

now=$(date +%s)
answers=$(mktemp -d) || exit 1
trap 'rm -rf "$answers"' EXIT

say() {
  printf '%s sagelens-idle-stop: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" | tee -a "$LOG"
}

# Which instance this is: its Region and its name.
metadata() {
  python3 - "$METADATA" <<'PYTHON'
import json, sys

found = json.load(open(sys.argv[1]))
print(found["ResourceArn"].split(":")[3], found["ResourceName"])
PYTHON
}

# Ask Jupyter for a list; false if it does not answer. Jupyter without terminals answers 404.
ask() {
  local status
  status=$(curl --silent --insecure --max-time 10 --output "$answers/$1" --write-out '%{http_code}' \
    "$JUPYTER_URL/api/$1") || return 1
  if [ "$status" = 404 ] && [ "$1" = terminals ]; then
    printf '[]' > "$answers/$1"
    status=200
  fi
  [ "$status" = 200 ]
}

# Read both lists. First line: when something was last used, in epoch seconds, or 0.
# Second line: what is at work now, or nothing. Fails on anything but Jupyter's own answers.
read_answers() {
  python3 - "$answers" "$OPEN_KERNELS" <<'PYTHON'
import calendar, json, sys, time

folder, open_kernels = sys.argv[1:]
kernels, terminals = (json.load(open(f"{folder}/{name}")) for name in ("kernels", "terminals"))
IDLE = ("idle", "starting", "dead", "unknown")
used = [
    calendar.timegm(time.strptime(each["last_activity"][:19], "%Y-%m-%dT%H:%M:%S"))
    for each in [*kernels, *terminals]
    if each.get("last_activity")
]
print(max(used, default=0))
busy = [k for k in kernels if open_kernels == "work" or k.get("execution_state") not in IDLE]
names = (f"kernel {k.get('name')} {k['id'][:8]} is {k.get('execution_state')}" for k in busy)
print(", ".join(names))
PYTHON
}

# Programs of the notebook's user but our own, one a line: process id, start, command line.
programs() {
  local own
  own=$(ps -o sid= -p $$ | tr -d ' ')
  ps -u "$NOTEBOOK_USER" -o sid=,pid=,lstart=,args= 2> /dev/null | awk -v own="$own" '
    $1 != own { $1 = ""; sub(/^ +/, ""); print }'
}

# The first running program that is a job, or nothing.
job() {
  programs | grep --invert-match --line-regexp --fixed-strings --file="$STATE/before" |
    while read -r pid _ _ _ _ _ command; do
      [[ $command =~ $WAITING ]] || { printf 'job %s: %.80s' "$pid" "$command"; break; }
    done
}

# Take up where the last run ended; on the first one since the start of the instance, begin.
begin() {
  mkdir -p "$STATE" || exit 1
  [ -f "$STATE/before" ] || programs > "$STATE/before"
  last=$(cat "$STATE/last" 2> /dev/null)
  if ! [[ $last =~ ^[0-9]+$ ]] || [ "$last" -gt "$now" ]; then last=$now; fi
}

remember() {
  printf '%s\n' "$last" > "$STATE/last.new" && mv "$STATE/last.new" "$STATE/last"
}

# Set why: what is at work now, or nothing.
look() {
  local found used
  why=$(job)
  if ask kernels && ask terminals && found=$(read_answers 2> /dev/null); then
    used=${found%%$'\n'*}
    if [ "$used" -gt "$now" ]; then used=$now; fi
    if [ "$used" -gt "$last" ]; then last=$used; fi
    if [ -z "$why" ] && [[ $found == *$'\n'* ]]; then why=${found#*$'\n'}; fi
  else
    say "Jupyter does not answer: nobody can work in it, so the minutes count on"
  fi
  if [ -n "$why" ]; then last=$now; fi
}

report() {
  aws cloudwatch put-metric-data --region "$region" --namespace Sagelens --metric-name IdleMinutes \
    --dimensions "Environment=$ENVIRONMENT,NotebookInstance=$name" --value "$1" ||
    say "the idle minutes could not be reported"
}

begin
why=
look
remember
idle=$(((now - last) / 60))
read -r region name < <(metadata)
if [ -z "$name" ]; then
  say "$METADATA does not say which instance this is"
  exit 1
fi
report "$idle"
if [ -n "$why" ]; then
  say "at work: $why"
elif [ "$idle" -lt "$IDLE_MINUTES" ]; then
  say "idle for $idle of $IDLE_MINUTES minutes"
else
  say "stopping $name: no kernel, terminal or job has been at work for $idle minutes (limit $IDLE_MINUTES)"
  aws sagemaker stop-notebook-instance --region "$region" --notebook-instance-name "$name" || {
    say "could not be stopped; the next try is in five minutes"
    exit 1
  }
fi
