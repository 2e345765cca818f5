"""All writing of events and all SQL by hand.

record      one transaction per group of events: rows, counters, issues, what is new or regressed
read        what the pages ask for, each one statement
workflow    resolving, archiving and bringing back
merge       several issues become one; split takes that back; moves carries what is there
discard     issues nobody wants
partitions  the days events live in, made ahead and dropped whole
bodies      what a page needs beside the columns, compressed
"""
