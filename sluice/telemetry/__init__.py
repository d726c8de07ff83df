"""What machines read of what Sluice does: log lines as JSON, metrics in CloudWatch's embedded format. All pure."""
