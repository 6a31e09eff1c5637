"""How spans leave this process: OTLP over HTTP or gRPC, or datagrams to the X-Ray daemon."""
