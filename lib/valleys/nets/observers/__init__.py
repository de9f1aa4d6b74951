"""What watches networks while they train."""
