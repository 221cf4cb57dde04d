"""The customer table's columns, as in IBM's public Telco set, and what each may hold."""

from __future__ import annotations

from ml_src.shared.columns import Number

IDENTIFIER = "customerID"
LABEL = "Churn"

CATEGORIES = (
    "gender",
    "Partner",
    "Dependents",
    "PhoneService",
    "MultipleLines",
    "InternetService",
    "OnlineSecurity",
    "OnlineBackup",
    "DeviceProtection",
    "TechSupport",
    "StreamingTV",
    "StreamingMovies",
    "Contract",
    "PaperlessBilling",
    "PaymentMethod",
)


NUMBERS = {
    "SeniorCitizen": Number(0, 1, "1 for a senior, else 0"),
    "tenure": Number(0, 1200, "months"),
    "MonthlyCharges": Number(0, 1e9, "money a month"),
    "TotalCharges": Number(0, 1e12, "money since the contract began"),
}

# In the table's own order: what a request to the endpoint holds, row by row.
INPUTS = (
    "gender",
    "SeniorCitizen",
    "Partner",
    "Dependents",
    "tenure",
    *CATEGORIES[3:],
    "MonthlyCharges",
    "TotalCharges",
)
COLUMNS = (IDENTIFIER, *INPUTS, LABEL)

LABELS = {"Yes": 1, "yes": 1, "1": 1, "No": 0, "no": 0, "0": 0}
MOST_CATEGORIES = 1000  # more different values than that are no category but free text
