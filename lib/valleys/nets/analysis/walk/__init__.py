"""What walks say: means over runs, how high steps bounce, hills between floors."""
