"""The post-incident report and the other exports."""
