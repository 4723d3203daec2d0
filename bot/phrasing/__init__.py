"""An LLM may phrase what an answer quotes: asked in one call, believed in nothing, each sentence checked."""
