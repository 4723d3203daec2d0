-- When a version was rolled back: what people disliked is not promoted again the next night.

ALTER TABLE model_versions ADD COLUMN rolled_back_at timestamptz;
