from django import forms

from example.tasks.email import LONGEST_MESSAGE


class FeedbackForm(forms.Form):
    address = forms.EmailField(label="Your email address", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    message = forms.CharField(
        label="Your message", max_length=LONGEST_MESSAGE, widget=forms.Textarea(attrs={"rows": 6})
    )
