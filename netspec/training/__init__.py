"""What a recipe may say, and what it needs: data, batches, optimisers. No framework."""
