"""The files beside the shards: statistics, plots, gallery, data set card and manifest."""
