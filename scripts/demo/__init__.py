"""The demo: a day of background jobs, four alerts and two Slack channels, on this machine (`make demo`)."""
