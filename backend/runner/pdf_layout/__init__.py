"""What the positions and the fonts of a PDF's characters tell: tables and headings."""
