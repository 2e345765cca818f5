"""All writing of events and all SQL by hand.

record      one transaction per group of events: rows, counters, issues, what is new or regressed
read        what the pages ask for, each one statement
workflow    resolving, archiving and bringing back
partitions  the days events live in, made ahead and dropped whole
bodies      what a page needs beside the columns, compressed
"""
