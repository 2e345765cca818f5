-- What `bench kept` fills the tables with: after each name how many rows there are to a row of logs.

-- logs: 1
insert into app_log (day, project_id, "timestamp", severity, trace_id, span_id, environment, release,
                     body, attributes)
select (now() - make_interval(secs => s))::date, :project, now() - make_interval(secs => s),
    (array[5, 9, 9, 9, 9, 13, 13, 17])[1 + g % 8], md5((g / 10)::text)::uuid, left(md5(g::text), 16),
    (array['production', 'staging'])[1 + (g % 5 = 0)::int], 'shop@1.' || g % 40,
    (array['order %s was paid', 'cart %s expired', 'till %s is open', 'cannot reach bank for %s'])[1 + g % 4]
        || md5(g::text),
    jsonb_build_object('till', 'till-' || g % 200, 'order', g, 'sentry.origin', 'auto.log')
from (select g, g::float8 / :rows * :days * 86400 as s from generate_series(1, :rows) g) made;

-- transactions: 0.3
insert into app_transaction (day, project_id, event_id, trace_id, span_id, parent_id, name, op, status,
                             started, duration, environment, release, spans, body)
select (now() - make_interval(secs => s))::date, :project, md5(g::text)::uuid, md5((g / 3)::text)::uuid,
    left(md5(g::text), 16), '', '/api/' || g % 200, 'http.server',
    (array['ok', 'ok', 'ok', 'internal_error'])[1 + g % 4], now() - make_interval(secs => s),
    1000 + (g::bigint * 7919) % 900000, 'production', 'shop@1.' || g % 40, 0, null
from (select g, g::float8 / :rows * :days * 86400 as s from generate_series(1, :rows) g) made;

-- spans: 1
insert into app_span (day, project_id, trace_id, span_id, parent_id, name, op, status, started, duration,
                      is_segment, environment, release, attributes)
select (now() - make_interval(secs => s))::date, :project,
    case when g <= 800 then '4bf92f3577b34da6a3ce929d0e0e4736'::uuid else md5((g / 40)::text)::uuid end, left(md5(g::text), 16),
    left(md5((g / 7)::text), 16), 'select price from article where id = ' || g, 'db', 'ok',
    now() - make_interval(secs => s), 100 + g % 9000, false, 'production', 'shop@1.' || g % 40,
    jsonb_build_object('db.system', 'postgresql', 'rows', g % 10)
from (select g, g::float8 / :rows * :days * 86400 as s from generate_series(1, :rows) g) made;

-- hours of endpoints: 0.15
insert into app_transactionhour (project_id, name, op, environment, hour, count, failed, total, buckets,
                                 counts)
select :project, '/api/' || g % 200, 'http.server', 'production',
    date_trunc('hour', now()) - make_interval(hours => g / 200), 1000, 20, 90000000,
    array[50, 51, 52, 55, 58, 60, 63, 66, 70, 74], array[100, 200, 300, 150, 100, 60, 40, 25, 15, 10]
from generate_series(0, least(:rows, 200 * 24 * :days - 1)) g;

-- releases: 0.0004
insert into app_release (organization_id, version, created)
select :organization, 'shop@1.' || g, now() - make_interval(hours => g) from generate_series(0, :rows) g
on conflict do nothing;

-- releases of projects: 0
insert into app_releaseproject (release_id, project_id, first_seen, last_seen, events, new_issues)
select id, :project, created, now(), 100, 1 from app_release on conflict do nothing;

-- hours of releases: 0.2
insert into app_releasehealth (project_id, release_id, environment, hour, healthy, errored, unhandled,
                               abnormal, crashed)
select :project, id, 'production', date_trunc('hour', now()) - make_interval(hours => h), 900, 20, 2, 1, 3
from app_release, generate_series(0, 24 * :days - 1) h where app_release.version like 'shop@1.%'
order by h limit :rows;

-- users of releases: 0.5
insert into app_sessionuser (day, project_id, release, environment, user_hash, ending)
select now()::date - g % :days, :project, 'shop@1.' || g % 40, 'production', g / 3,
    case when g % 50 = 0 then 4 else 0 end
from generate_series(1, :rows) g on conflict do nothing;

-- monitors: 0.0002
insert into app_monitor (project_id, slug, name, schedule, created)
select :project, 'job-' || g, 'job-' || g, '{"every": 1, "unit": "hour"}', now()
from generate_series(1, :rows) g;

-- check-ins: 0.3
insert into app_checkin (monitor_id, check_in_id, environment, status, started, finished, duration, release)
select m.id, md5(m.id || ' ' || g)::uuid, 'production', (array['ok', 'ok', 'ok', 'error'])[1 + g % 4],
    now() - make_interval(mins => g), now() - make_interval(mins => g), 1500, ''
from app_monitor m, generate_series(1, greatest(:rows / 200, 1)) g;

-- feedback: 0.02
insert into app_feedback (project_id, feedback_id, message, name, email, url, source, environment, created)
select :project, md5(g::text)::uuid, 'I cannot pay', 'Grace', 'grace@example.com', '', 'widget',
    'production', now() - make_interval(mins => g) from generate_series(1, :rows) g;
