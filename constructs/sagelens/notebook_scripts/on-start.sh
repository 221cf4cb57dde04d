#!/bin/bash
# Runs as root each time the notebook instance starts: installs what stops it again when idle.
# Nothing outside /home/ec2-user/SageMaker outlives a stop, so all of it is written anew.
set -euo pipefail

ROOT=${ROOT:-} # where the file system begins; empty but in tests
program=$ROOT/usr/local/sbin/sagelens-idle-stop
units=$ROOT/etc/systemd/system

mkdir -p "$(dirname "$program")" "$units" "$ROOT/etc/sagelens"
cat > "$program" <<'IDLE_STOP'
@IDLE_STOP@
IDLE_STOP
chmod 0755 "$program"
cat > "$ROOT/etc/sagelens/idle-stop.conf" <<'SETTINGS'
@SETTINGS@
SETTINGS
cat > "$units/sagelens-idle-stop.service" <<UNIT
[Unit]
Description=Stops this notebook instance when it is idle
[Service]
Type=oneshot
EnvironmentFile=$ROOT/etc/sagelens/idle-stop.conf
ExecStart=$program
TimeoutStartSec=120
UNIT
# By the clock of the system, whatever becomes of one run.
cat > "$units/sagelens-idle-stop.timer" <<'UNIT'
[Unit]
Description=Looks every five minutes whether anybody works here
[Timer]
OnActiveSec=1min
OnUnitActiveSec=5min
OnUnitInactiveSec=5min
AccuracySec=15s
[Install]
WantedBy=timers.target
UNIT
systemctl daemon-reload
# Once before anybody comes: what runs now is the platform's own.
systemctl start sagelens-idle-stop.service || echo "the first look failed; the timer looks again"
systemctl enable --now sagelens-idle-stop.timer
