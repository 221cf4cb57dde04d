"""Every name of MiniStack 1.5.33 that the adapter leans on. None is promised by MiniStack.

The contract test holds this list against the adapter's own source and against the installed
MiniStack, so that a new version fails there and not in the middle of a flow.
"""

VERSION = "1.5.33"

# By name in modules.py.
NAMES: dict[str, tuple[str, ...]] = {
    "app": (
        "SERVICE_HANDLERS",
        "SERVICE_REGISTRY",
        "_get_reset_lock",
        "_lazy_handler",
        "_loaded_modules",
        "_reset_all_state",
        "app",
    ),
    "cloudwatch": (
        "_alarms",
        "_calc_stats",
        "_dims_from_list",
        "_dims_key",
        "_dispatch_alarm_actions",
        "_evaluate_alarm",
        "_evaluate_parent_alarms",
        "_metrics",
        "_record_history",
        "_stat_value",
        "record_metric",
        "reset",
    ),
    "dynamodb": ("_tables", "_update_ttl"),
    "eventbridge": ("_dispatch_event", "_invoke_target"),
    "iam": ("_roles",),
    "iam_actions": (
        "SERVICE_TO_IAM_NAMESPACE",
        "_s3_source_object",
        "extract_resource_arn",
        "s3_access_point_resources",
        "s3_additional_checks",
        "s3_service_context",
    ),
    "iam_evaluator": (
        "AuthError",
        "EvalContext",
        "EvalResult",
        "_gather_role_policies",
        "_permissions_boundary",
        "_request_origin",
        "_resolve_condition_key",
        "_resource_policy",
        "_role_name_from_assumed_arn",
        "combine_resource_policy",
        "enforce",
        "evaluate",
        "evaluate_resource_policy",
        "is_root_access_key",
        "resolve_principal",
    ),
    "kms": ("_resolve_key",),
    "lambda_runtime": ("Worker", "reset"),
    "lambda_svc": (
        "_emit_lambda_logs",
        "_emit_lambda_metrics",
        "_esms",
        "_execute_function_dispatch",
        "_execute_function_warm",
        "_functions",
        "_run_sqs_batch",
    ),
    "provisioners": ("_RESOURCE_HANDLERS",),
    "responses": ("get_account_id", "get_region", "request_scope"),
    "router": ("SERVICE_PATTERNS", "extract_access_key_id", "extract_region"),
    "s3": (
        "S3_NS",
        "_S3_EVENTBRIDGE_EVENT_DETAIL_TYPE",
        "_bucket_default_sse_headers",
        "_bucket_encryption",
        "_bucket_has_versions",
        "_bucket_tags",
        "_buckets",
        "_delete_object",
        "_delete_object_tagging",
        "_error",
        "_fire_s3_event",
        "_fire_s3_event_async",
        "_get_object_data",
        "_multipart_uploads",
        "_object_versions",
        "_put_bucket_encryption",
        "_put_object_tagging",
        "_resolve_subresource_version",
        "_resolve_sse_write_headers",
        "bucket_region",
        "handle_request",
        "object_tags_for_condition",
    ),
    "sns": ("_topics", "topic_policy_allows"),
    "sqs": (
        "_Err",
        "_HANDLERS",
        "_queue_by_arn",
        "_queues",
        "_queues_lock",
        "_receive_messages_for_esm",
        "esm_wake",
        "queue_policy_allows",
        "reset",
    ),
    "stacks": ("_runs_on_worker_thread",),
}

# The parameters of what is wrapped or called with positional arguments.
SIGNATURES: dict[str, str] = {
    "cloudwatch._dispatch_alarm_actions": "alarm old_state new_state reason",
    "cloudwatch._evaluate_alarm": "alarm",
    "cloudwatch._record_history": "alarm_name old_state new_state reason alarm_type reason_data",
    "cloudwatch.record_metric": "namespace metric_name value unit dimensions",
    "eventbridge._dispatch_event": "event view",
    "eventbridge._invoke_target": "target event rule view",
    "iam_actions.extract_resource_arn": (
        "service method path headers body query_params region account_id"
    ),
    "iam_actions.s3_access_point_resources": "resource_arn",
    "iam_actions.s3_additional_checks": "method path headers body query_params",
    "iam_actions.s3_service_context": "iam_action query_params path headers",
    "iam_evaluator._resolve_condition_key": "key ctx",
    "iam_evaluator.combine_resource_policy": "identity ctx policy owner_account required limits",
    "iam_evaluator.enforce": (
        "access_key_id iam_action service region resource_arn service_context"
    ),
    "iam_evaluator.evaluate": "ctx policies limits",
    "lambda_runtime.Worker.__init__": "self func_name config code_zip",
    "lambda_runtime.Worker._drain_stderr_bounded": "self first_line_wait idle_confirm hard_cap",
    "lambda_svc._emit_lambda_logs": "func request_id log_text error duration_ms log_source",
    "lambda_svc._emit_lambda_metrics": "function_name duration_ms error throttle",
    "lambda_svc._execute_function_dispatch": "func config event request_id started",
    "lambda_svc._execute_function_warm": "func event request_id",
    "lambda_svc._run_sqs_batch": "esm func_rec event batch queue_url queue_name",
    "s3._delete_object": "bucket_name key headers query_params",
    "s3._delete_object_tagging": "bucket_name key query_params",
    "s3._error": "code message status resource extra headers",
    "s3._fire_s3_event_async": (
        "bucket_name key event_name size etag deletion_type version_id object_extra record_extra"
    ),
    "s3._get_object_data": "bucket_name key version_id",
    "s3._put_object_tagging": "bucket_name key body query_params",
    "s3._resolve_sse_write_headers": "headers bucket_name",
    "s3._resolve_subresource_version": "query_params bucket key",
    "s3.handle_request": (
        "method path headers body query_params signed_path enforce_bucket_region internal "
        "access_point_region access_point"
    ),
    "sqs._receive_messages_for_esm": "queue_url max_number",
    "sqs.queue_policy_allows": "queue_arn service source_arn source_account",
    "stacks._runs_on_worker_thread": "resource_type",
}

# Lines of MiniStack's source that something here counts on: names that are looked up at the time
# of the call (and so can be replaced), and the protocol between server and Lambda worker.
SNIPPETS: dict[str, tuple[str, ...]] = {
    "app": (
        "            extract_resource_arn,\n",
        "            s3_service_context,\n",
        "        from ministack.core.iam_evaluator import AuthError, enforce, pin_request_caller",
        "    handler = SERVICE_HANDLERS.get(service)",
    ),
    "eventbridge": ("                _invoke_target(target, event, rule, view)",),
    "lambda_runtime": (
        '_real_stdout.write(json.dumps({"status": "ready", "cold": True})',
        '_real_stdout.write(json.dumps({"status": "ok", "result": result})',
        '"request_id": request_id,',
        "spawn_env = {**os.environ, **env_vars}",
        "self._stderr_queue.put(",
        "self._stderr_thread = threading.Thread(",
    ),
    "lambda_svc": (
        "_sqs._receive_messages_for_esm(queue_url, batch_size)",
        'error_type = "Runtime.HandlerError"',
    ),
    "s3": (
        "_eb._dispatch_event(eb_event)",
        "target=ctx.run",
        "return _put_object_tagging(bucket, key, body, query_params)",
        "return _delete_object_tagging(bucket, key, query_params)",
    ),
}
