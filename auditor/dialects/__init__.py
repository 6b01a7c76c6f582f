"""Lexers shared by those who read a file and those who mend it: text in, pieces with their places out, no meaning."""
