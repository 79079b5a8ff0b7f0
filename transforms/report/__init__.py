"""What stands beside the shards: statistics, plots, gallery, data set card and manifest."""
