"""Log groups, flow logs, dead letters, schedules, state machines and networks."""

from __future__ import annotations

from tests.security.examples.build import (
    ACCOUNT,
    GONE,
    INLINE,
    KEY_POLICY,
    LAMBDA,
    OTHER_ACCOUNT,
    SAME_ACCOUNT,
    STREAMS,
    TRUST,
    USE_KEY,
    Break,
    Example,
    Resources,
    allow,
    arn,
    bucket_policy,
    encrypted_bucket,
    function,
    key,
    less,
    queue,
    resource,
    role,
)

LOGS_KEY = [
    "kms:Decrypt*",
    "kms:Describe*",
    "kms:Encrypt*",
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
]
LOGS_OF_ACCOUNT = {
    "ArnLike": {
        "kms:EncryptionContext:aws:logs:arn": {
            "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*"
        }
    }
}
LOG_GROUP: Resources = {
    "Key": key(
        allow(
            LOGS_KEY,
            service={"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"},
            when=LOGS_OF_ACCOUNT,
        )
    ),
    "Group": resource("Logs::LogGroup", KmsKeyId=arn("Key")),
}
FLOW_LOG_GROUP: Resources = {
    "Group": resource("Logs::LogGroup"),
    "Role": role(
        "vpc-flow-logs.amazonaws.com",
        allow(["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], STREAMS),
    ),
    "FlowLog": resource(
        "EC2::FlowLog",
        LogGroupName={"Ref": "Group"},
        DeliverLogsPermissionArn=arn("Role"),
    ),
}
DELIVERY = "delivery.logs.amazonaws.com"
BY_DELIVERY = {
    **SAME_ACCOUNT,
    "ArnLike": {
        "aws:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
        }
    },
}
FLOW_LOG_BUCKET: Resources = {
    "Key": key(allow(LOGS_KEY, service=DELIVERY, when=SAME_ACCOUNT)),
    "Bucket": encrypted_bucket(),
    "Policy": bucket_policy(
        "Bucket",
        allow(
            "s3:PutObject",
            {"Fn::Sub": "${Bucket.Arn}/flows/AWSLogs/${AWS::AccountId}/*"},
            service=DELIVERY,
            when=BY_DELIVERY,
        ),
        allow("s3:GetBucketAcl", arn("Bucket"), service=DELIVERY, when=BY_DELIVERY),
    ),
    "FlowLog": resource(
        "EC2::FlowLog",
        LogDestinationType="s3",
        LogDestination={"Fn::Sub": "${Bucket.Arn}/flows/"},
    ),
}
DEAD_LETTERS: Resources = {
    "Dead": resource(
        "SQS::Queue",
        RedriveAllowPolicy={"redrivePermission": "byQueue", "sourceQueueArns": [arn("Queue")]},
    ),
    "Queue": resource(
        "SQS::Queue", RedrivePolicy={"deadLetterTargetArn": arn("Dead"), "maxReceiveCount": 5}
    ),
}
SCHEDULE: Resources = {
    "Key": key(),
    "Queue": queue(),
    "Role": role("scheduler.amazonaws.com", allow("sqs:SendMessage", arn("Queue")), USE_KEY),
    "Schedule": resource(
        "Scheduler::Schedule", Target={"Arn": arn("Queue"), "RoleArn": arn("Role")}
    ),
}
DELIVER_LOGS = [
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
]
DELIVERED = {
    "StringEquals": {
        "kms:EncryptionContext:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
        }
    }
}
MACHINE: Resources = {
    "Key": key(allow("kms:Decrypt*", service="delivery.logs.amazonaws.com", when=DELIVERED)),
    "Group": resource("Logs::LogGroup"),
    "Role": role("states.amazonaws.com", allow(DELIVER_LOGS), USE_KEY),
    "Machine": resource(
        "StepFunctions::StateMachine",
        RoleArn=arn("Role"),
        EncryptionConfiguration={"KmsKeyId": arn("Key"), "Type": "CUSTOMER_MANAGED_KMS_KEY"},
        LoggingConfiguration={
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": arn("Group")}}]
        },
    ),
}
JOIN_NETWORK = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]
NETWORK: Resources = {
    "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
    "Subnet": resource("EC2::Subnet", VpcId={"Ref": "Vpc"}),
    "Routes": resource("EC2::RouteTable", VpcId={"Ref": "Vpc"}),
    "Association": resource(
        "EC2::SubnetRouteTableAssociation",
        SubnetId={"Ref": "Subnet"},
        RouteTableId={"Ref": "Routes"},
    ),
    "Gateway": resource(
        "EC2::VPCEndpoint",
        VpcId={"Ref": "Vpc"},
        VpcEndpointType="Gateway",
        RouteTableIds=[{"Ref": "Routes"}],
        ServiceName={"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"},
        PolicyDocument={
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": "s3:*",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
                }
            ]
        },
    ),
    "Interface": resource(
        "EC2::VPCEndpoint",
        VpcId={"Ref": "Vpc"},
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
        ServiceName={"Fn::Sub": "com.amazonaws.${AWS::Region}.rekognition"},
    ),
    "Bucket": resource("S3::Bucket"),
    "Role": role(
        LAMBDA,
        allow("rekognition:DetectFaces"),
        allow("s3:GetObject", {"Fn::Sub": "${Bucket.Arn}/*"}),
        allow([*JOIN_NETWORK, "logs:PutLogEvents", "sqs:ReceiveMessage"]),
    ),
    "Function": function(VpcConfig={"SubnetIds": [{"Ref": "Subnet"}]}),
}


EXAMPLES = (
    Example(
        "log-group-to-key",
        LOG_GROUP,
        (
            Break("key closed", f"{KEY_POLICY}.1", GONE, "does not let logs.eu-central-1"),
            Break("by account", f"{KEY_POLICY}.1.Condition", SAME_ACCOUNT, "absent from"),
            Break(
                "Region by hand",
                f"{KEY_POLICY}.1.Principal",
                {"Service": "logs.eu-central-1.amazonaws.com"},
                "logs.cn-north-1.amazonaws.com",
            ),
            *less(f"{KEY_POLICY}.1.Action", LOGS_KEY),
        ),
    ),
    Example(
        "flow-log-to-log-group",
        FLOW_LOG_GROUP,
        (
            *less(
                f"{INLINE}.0.Action",
                ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            ),
            Break("other account", f"{TRUST}.Condition", OTHER_ACCOUNT, "may not assume"),
        ),
    ),
    Example(
        "flow-log-to-bucket",
        FLOW_LOG_BUCKET,
        (
            Break("no policy", "Policy", GONE, "has no resource policy"),
            Break(
                "no acl", "Policy.Properties.PolicyDocument.Statement.1", GONE, "s3:GetBucketAcl"
            ),
            Break(
                "other folder",
                "Policy.Properties.PolicyDocument.Statement.0.Resource",
                {"Fn::Sub": "${Bucket.Arn}/AWSLogs/*"},
                "does not cover",
            ),
            Break("key closed", f"{KEY_POLICY}.1", GONE, "the policy of the key"),
        ),
    ),
    Example(
        "queue-to-dead-letter-queue",
        DEAD_LETTERS,
        (
            Break(
                "refused",
                "Dead.Properties.RedriveAllowPolicy",
                {"redrivePermission": "denyAll"},
                "does not take",
            ),
            Break(
                "not listed",
                "Dead.Properties.RedriveAllowPolicy.sourceQueueArns",
                ["arn:aws:sqs:::other"],
                "does not take",
            ),
            Break("FIFO", "Queue.Properties.FifoQueue", True, "must be FIFO"),
        ),
    ),
    Example(
        "schedule-to-target",
        SCHEDULE,
        (
            Break("no right", f"{INLINE}.0", GONE, "may not sqs:SendMessage"),
            Break("no key", f"{INLINE}.1", GONE, "kms:GenerateDataKey"),
            Break("other account", f"{TRUST}.Condition", OTHER_ACCOUNT, "may not assume"),
        ),
    ),
    Example(
        "state-machine-delivery-to-key",
        MACHINE,
        (
            Break("key closed", f"{KEY_POLICY}.1", GONE, "delivery.logs.amazonaws.com"),
            Break("by account", f"{KEY_POLICY}.1.Condition", SAME_ACCOUNT, "absent from"),
        ),
    ),
    Example(
        "state-machine-to-role",
        MACHINE,
        (Break("other account", f"{TRUST}.Condition", OTHER_ACCOUNT, "may not assume"),),
    ),
    Example("state-machine-to-logs", MACHINE, less(f"{INLINE}.0.Action", DELIVER_LOGS)),
    Example(
        "state-machine-to-key",
        MACHINE,
        (Break("no key", f"{INLINE}.1", GONE, "kms:GenerateDataKey"),),
    ),
    Example("function-to-network", NETWORK, less(f"{INLINE}.2.Action", JOIN_NETWORK)),
    Example(
        "function-to-endpoint",
        NETWORK,
        (
            Break("no endpoint", "Interface", GONE, "no way to rekognition"),
            Break(
                "no private names",
                "Interface.Properties.PrivateDnsEnabled",
                False,
                "no way to rekognition",
            ),
            Break("not routed", "Gateway.Properties.RouteTableIds", [], "no way to s3"),
            Break(
                "endpoint closed",
                "Gateway.Properties.PolicyDocument.Statement.0.Action",
                "s3:PutObject",
                "does not let stack/Role s3:GetObject",
            ),
        ),
    ),
)
