"""The SDKs' side: a request is checked, made durable in the journal, answered, and shipped to the broker.

connection  HTTP: the SDKs' addresses are answered, the rest is left to uvicorn
accept    the story of one request                  steps     runs it without a task
asgi      start, stop, health                       quotas    rate limits of keys
auth      who sends: five places for a key          keys      what that key may do, cached
body      reading with bounds                       check     is it an envelope or an event at all
journal   bytes on disk, one folder per process     commit    many requests share one fdatasync
tail      what is not shipped yet                   ship      groups to the broker (a thread)
refusals  refused quantities, for the usage page    service   start and stop of all that
"""
