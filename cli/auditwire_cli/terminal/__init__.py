"""What people and scripts see of a command: text and JSON made safe to print, tables, progress."""
