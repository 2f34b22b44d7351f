"""Steps in words: numbers, sentences, the text trace."""
