"""Make a superuser and a token of the HTTP API for it, and print the token."""

from uuid import uuid4

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402 - Django comes first

from rowlock.models import ApiToken  # noqa: E402
from rowlock.models.token import hash_of, new_secret  # noqa: E402

secret = new_secret()
user = User.objects.create_superuser(f"bench-{uuid4().hex[:8]}")
ApiToken.objects.create(user=user, name="bench", hash=hash_of(secret))
print(secret)
