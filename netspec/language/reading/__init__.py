"""Text → positioned values: YAML that remembers where everything stands, and where the files of specs are."""
