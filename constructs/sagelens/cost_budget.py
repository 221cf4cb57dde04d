"""What an environment may cost in a month, and who hears when it comes near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from .errors import ArgumentErrors

MOST_ALERTS = 5
"""Of a budget ("Quotas and restrictions", AWS Cost Management)."""


class CostBudget(Construct):
    """A monthly budget over what carries a tag, with alerts on what was spent and what will be.

    Its alerts go to a topic. AWS Budgets looks at costs up to three times a day, and only at those
    that carry the tag from when the payer account has activated it as a cost allocation tag.

    Sources: "Managing your costs with AWS Budgets", "Creating an Amazon SNS topic for budget
    notifications", "Activating user-defined cost allocation tags" (AWS Billing and Cost
    Management).

    Args:
        scope: The parent construct.
        id: The construct's id.
        monthly_usd: The budget in US dollars.
        tag: Key and value of the tag.
        topic: Hears of it; its policy must be ours to extend, and its key must admit AWS Budgets.
        alert_percents: At which percentages of the budget to say what was spent: one to four. That
            the month will probably end above the budget is told besides.
        labels: Tags of the budget itself.

    Attributes:
        budget: The budget.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        monthly_usd: float,
        tag: tuple[str, str],
        topic: sns.Topic,
        alert_percents: Sequence[float] = (50, 80, 100),
        labels: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"CostBudget {self.node.path}")
        errors.between("monthly_usd", monthly_usd, 0.01, 1e8, unit="USD")
        errors.between("len(alert_percents)", len(alert_percents), 1, MOST_ALERTS - 1)
        for percent in alert_percents:
            errors.between("alert_percents", percent, 1, 1000, unit="%")
        errors.throw()
        alerts = [*(("ACTUAL", percent) for percent in alert_percents), ("FORECASTED", 100)]
        self.budget = budgets.CfnBudget(
            self,
            "Resource",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=monthly_usd, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{tag[0]}${tag[1]}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[
                        budgets.CfnBudget.SubscriberProperty(
                            subscription_type="SNS", address=topic.topic_arn
                        )
                    ],
                )
                for kind, percent in alerts
            ],
            resource_tags=[
                budgets.CfnBudget.ResourceTagProperty(key=key, value=value)
                for key, value in (labels or {}).items()
            ],
        )
        self._let_in(topic)

    def _let_in(self, topic: sns.Topic) -> None:
        every_budget = cdk.Stack.of(self).format_arn(
            service="budgets", region="", resource="*", arn_format=cdk.ArnFormat.NO_RESOURCE_NAME
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="PublishBudgets",
                principals=[iam.ServicePrincipal("budgets.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "ArnLike": {"aws:SourceArn": every_budget},
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                },
            )
        )
