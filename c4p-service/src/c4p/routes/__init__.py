"""The HTTP routes of c4p-service, one module for each resource: HTTP in, use case, HTTP out."""

from c4p.routes import actions, call_window, decisions, deliveries, proposals, reports, reviews

ROUTERS = [
    proposals.router,
    decisions.router,
    reviews.router,
    call_window.router,
    deliveries.router,
    reports.router,
    actions.router,
]
