"""Any SDK's event to our Event: read, bound, scrub. Pure functions over plain data.

`read.parts(group, limits)` is the way in. An event in which nothing has to be replaced is read as far as
lists, tags and grouping need, stored as it came (`glance`), and normalised by `read.shown` when somebody
looks at it. Of the others a regular one takes the short way (`shortcut`): it is checked while it is decoded,
and its bags stay bytes. Any other goes the long way, attribute by attribute (`event`), which both shorter
ones are tested against. All make the same of the client's JSON: `Event.data`, a dict that
encodes to a JSON object (after the short way some of its leaves are msgspec's structs and pieces of JSON).
That object has canonical names, no nulls, no NUL characters, no lone surrogates, and only these keys, each of
them optional unless it says "always". Times are ISO 8601 in UTC ("2026-11-22T14:03:07.120000Z").

    event_id    "0f4e2a6c9b1d4c7f8a3b5d6e7f809102"                              always
    timestamp   when it happened, by the corrected clock of the client          always
    platform    "python", "javascript", "java", "native", "other", …            always
    level       "fatal" | "error" | "warning" | "info" | "debug"                always
    logger, transaction, server_name, release, dist, environment                strings
    transaction_info  {"source": "route"}
    fingerprint ["{{ default }}", "payments"]      as the client sent it
    tags        {"tenant": "t7"}                   the client's own; Event.tags has the derived ones too
    extra       {"anything": …}
    contexts    {"browser": {"type": "browser", "name": "Chrome", …}, …}     each value is a dict with "type"
    modules     {"django": "5.2"}
    sdk         {"name": "sentry.python", "version": "2.75.0", "integrations": [str],
                 "packages": [{"name", "version"}]}
    user        {"id": "7", "email", "username", "name", "ip_address", "geo": {…}, "data": {…}}
                id is a string
    request     {"url": without query and fragment, "method": "POST", "fragment": "top",
                 "query_string": [["page", "2"]], "headers": [["User-Agent", "…"]],
                 "cookies": [["theme", "dark"]],
                 "data": any JSON, "inferred_content_type": "application/json", "env": {"REMOTE_ADDR": "…"}}
    logentry    {"message": "Hello %s", "formatted": "Hello Ada", "params": ["Ada"] or {…}}
                "formatted" is there whenever there is any message; it is what people read
    exception   {"values": [{"type": "KeyError", "value": "'gross'", "module": "builtins", "thread_id": "12",
                             "mechanism": {"type": "django", "handled": false, "exception_id": 0, …},
                             "stacktrace": {"frames": [frame, …]}, "raw_stacktrace": {…}}]}
                oldest cause first, the thrown one last; each value has a type or a value
    stacktrace  {"frames": [frame, …]}             only from clients that send one without an exception
    threads     {"values": [{"id": "12", "name": "main", "crashed": true, "current": true, "main": true,
                             "state": "…", "stacktrace": {…}}]}
    breadcrumbs {"values": [{"timestamp": "…Z", "type": "default", "category": "query", "level": "info",
                             "message": "…", "data": {…}}]}                     oldest first; level always
    template    {"filename", "abs_path", "lineno", "pre_context", "context_line", "post_context"}
    debug_meta  {"images": [{…}], "sdk_info": {…}}
    csp, hpkp, expectct, expectstaple                                           security reports, as a bag

    frame       {"function": "charge", "raw_function", "symbol", "module": "shop.payments", "package",
                 "filename": "shop/payments.py", "abs_path": "/srv/shop/payments.py",
                 "lineno": 42, "colno": 7,
                 "pre_context": [str], "context_line": "total = order['gross']", "post_context": [str],
                 "in_app": true,                                                always
                 "vars": {"order": {"net": "12"}, "retry": "False"},
                 "platform", "instruction_addr", "symbol_addr", "image_addr", "addr_mode", "data": {…}, …}
                frames are oldest first: the crash is the last one

A secret reads "[Filtered]". A text that was cut ends with "...". What was changed or dropped stands in
`Event.notes`, by dotted path. An event of an unknown SDK may lack everything that is not marked "always".
"""
