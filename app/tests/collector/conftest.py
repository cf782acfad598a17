from tests.broker.conftest import management, without_policies

__all__ = ["management", "without_policies"]
