"""Reading marketplaces' exports: files to lines, lines to order rows, rows to the facts context.

A *mapping* knows one kind of export. It runs in a process of its own and knows no database, so
reading and PostgreSQL each have a core. Words: a *row* is one order as the file tells it; a *staged
line* is a good row as PostgreSQL's COPY reads it; a *refused row* keeps its line and a reason.
"""
