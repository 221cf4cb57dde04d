"""Ask a hosted churn model how likely a customer is to leave.

    python examples/predict_churn.py --endpoint sagelens-dev-churn

Needs boto3 and the permission sagemaker:InvokeEndpoint on the endpoint. What a request may hold
stands in docs/churn.md; a wrong one is answered with a ModelError whose OriginalMessage says what
is wrong.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

import boto3

CUSTOMER: dict[str, Any] = {
    "gender": "Female",
    "SeniorCitizen": 0,
    "Partner": "Yes",
    "Dependents": "No",
    "tenure": 3,
    "PhoneService": "Yes",
    "MultipleLines": "No",
    "InternetService": "Fiber optic",
    "OnlineSecurity": "No",
    "OnlineBackup": "Yes",
    "DeviceProtection": "No",
    "TechSupport": "No",
    "StreamingTV": "Yes",
    "StreamingMovies": "No",
    "Contract": "Month-to-month",
    "PaperlessBilling": "Yes",
    "PaymentMethod": "Electronic check",
    "MonthlyCharges": 70.35,
    "TotalCharges": 211.05,
}


def churn_probability(endpoint: str, customer: Mapping[str, Any], runtime: Any = None) -> float:
    """Return the probability (0 to 1) that a customer leaves within the month.

    Args:
        endpoint: Name of the endpoint.
        customer: The 19 inputs by name; None where a value is not known.
        runtime: A boto3 client of sagemaker-runtime; one is made if it is left out.

    Raises:
        botocore.exceptions.ClientError: The call was denied, or the request was wrong.
    """
    client = runtime or boto3.client("sagemaker-runtime")
    answer = client.invoke_endpoint(
        EndpointName=endpoint,
        ContentType="application/json",
        Accept="application/json",
        Body=json.dumps([customer]),
    )
    return float(json.loads(answer["Body"].read())["predictions"][0]["churn_probability"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ask a hosted churn model about one customer.")
    parser.add_argument("--endpoint", required=True)
    probability = churn_probability(parser.parse_args().endpoint, CUSTOMER)
    print(f"This customer leaves with a probability of {probability:.1%}.")
