#!/bin/sh
# Lambda starts a function's runtime by this wrapper (AWS_LAMBDA_EXEC_WRAPPER) with the command of AWS's Python client.
# It starts our loop in its place, by the same interpreter: AWS's client cannot stream answers.
export PYTHONPATH="$LAMBDA_TASK_ROOT:/opt/python${PYTHONPATH:+:$PYTHONPATH}"
exec "$1" -m shared.aws_lambda.runtime
