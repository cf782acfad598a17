"""A field of forms that takes JSON."""

import json
from typing import Any

from django import forms

from rowlock.runs import strict_json


class JsonTextField(forms.CharField):
    """JSON of one kind in a text area; nothing is the empty list or object."""

    def __init__(self, *, kind: type[list[Any]] | type[dict[str, Any]], **options: Any) -> None:
        self._kind = kind
        attrs = {"rows": 3, "class": "mono", "spellcheck": "false", "autocomplete": "off"}
        super().__init__(required=False, strip=True, widget=forms.Textarea(attrs=attrs), **options)

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        return json.dumps(value, indent=2 if len(json.dumps(value)) > 60 else None, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, self._kind):
            # Of a field that cannot be changed.
            return value
        text = super().to_python(value)
        if not text:
            return self._kind()
        try:
            found = strict_json.read(text.encode())
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}. Texts stand in double quotes.") from None
        if not isinstance(found, self._kind):
            wanted = 'a list, as in [1, "two"]' if self._kind is list else 'an object, as in {"name": 1}'
            raise forms.ValidationError(f"This must be {wanted}.")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        try:
            return bool(self.to_python(data) != (self._kind() if initial is None else initial))
        except forms.ValidationError:
            return True
