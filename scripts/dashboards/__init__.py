"""The Grafana dashboards of the chart, as code.

In Grafana's classic schema: the SDK would rather have the newer one, which sidecars and older Grafanas do not take.
"""

import warnings

warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
