"""A service with OpenTelemetry's own SDK, whose exporters know nothing of us but an address and a header."""

from __future__ import annotations

import logging
import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

URL, HEADERS = os.environ["OTLP_URL"], {"x-sentry-auth": f"sentry sentry_key={os.environ['OTLP_KEY']}"}
about = Resource.create(
    {"service.name": "till", "service.version": "7", "deployment.environment.name": "staging"}
)

spans = TracerProvider(resource=about)
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{URL}/v1/traces", headers=HEADERS)))
logs = LoggerProvider(resource=about)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{URL}/v1/logs", headers=HEADERS)))
log = logging.getLogger("till")
log.addHandler(LoggingHandler(logger_provider=logs))

tracer = spans.get_tracer("till")
with tracer.start_as_current_span("POST /close", kind=SpanKind.SERVER) as outer:
    outer.set_attribute("http.request.method", "POST")
    with tracer.start_as_current_span("count", attributes={"db.system": "postgresql"}) as inner:
        inner.set_status(Status(StatusCode.ERROR, "no such table"))
    log.error("the drawer is stuck")
    print(trace.format_trace_id(outer.get_span_context().trace_id))
spans.shutdown()
logs.shutdown()
