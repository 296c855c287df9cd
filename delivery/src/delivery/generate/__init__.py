"""Files that are made from the code: charts' schemas and pages, dashboards, the services' locks."""
