"""Sends log records with the unmodified Python OpenTelemetry SDK: sdk_logs.py grpc|http ENDPOINT MARK"""

import logging
import sys

from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

protocol, endpoint, mark = sys.argv[1:]
if protocol == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter

    exporter = OTLPLogExporter(endpoint=endpoint, insecure=True)
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    exporter = OTLPLogExporter(endpoint=f"{endpoint}/v1/logs", compression=Compression.Gzip)

provider = LoggerProvider(resource=Resource.create({"service.name": f"python-{protocol}"}))
provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
logger = logging.getLogger("shop.cart")
logger.setLevel(logging.INFO)
logger.addHandler(LoggingHandler(logger_provider=provider))

for number in range(20):
    logger.warning("cart %s validated in %d ms", mark, number, extra={"cart.items": number})
try:
    raise ValueError(f"no such cart {mark}")
except ValueError:
    logger.exception("cart lookup failed")
provider.shutdown()
