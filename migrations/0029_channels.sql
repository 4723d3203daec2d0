-- Which channels anything was asked in.
CREATE INDEX daily_figures_of_channel ON daily_figures (workspace_id, name) WHERE part = 'channel';
