"""`guard schema`: the rule file for editors."""

import json


def schema() -> None:
    """Print the JSON Schema of the rule file, for editors.

    It is what `guard init` writes as rules.schema.json. A rule file whose first
    line is `#:schema ./rules.schema.json` is completed and checked by it.
    """
    print(schema_text(), end="")


def schema_text() -> str:
    """The schema as a file of its own."""
    from guard.config import schema as rule_file

    return json.dumps(rule_file.schema(), indent=2, ensure_ascii=False) + "\n"
