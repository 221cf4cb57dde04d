"""The tables of rights in docs/security.md are those of the templates, each with its reason."""

from __future__ import annotations

from tools import role_tables


def test_the_page_is_as_the_templates_are() -> None:
    page = role_tables.PAGE.read_text(encoding="utf-8")
    assert page == role_tables.with_tables(page), "run python -m tools.role_tables"


def test_each_reason_is_of_a_statement() -> None:
    found = {
        statement["Sid"]
        for _, stack, role in role_tables.ROLES
        for statement in role_tables.statements(stack, role)
    }
    assert found == set(role_tables.REASONS)
