"""What was written elsewhere becomes entries: a card or a plain file, exports of Slack and Mattermost, logs of IRC."""
