# Alarms, the dashboard, trace sampling, and the masking of personal data in logs.

locals {
  # Functions that answer requests.
  lambda_names = { for service in keys(local.service_functions) : service => "${local.prefix}-${service}" }

  # Namespace and dimensions of the metrics that the services write into their logs (Embedded Metric Format).
  metrics_namespace = var.project_name
}

# --- Alarms --------------------------------------------------------------------------------------------------------

resource "aws_sns_topic" "alarms" {
  name = "${local.prefix}-alarms"
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsAndBudgets"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_metric_alarm" "function_errors" {
  for_each = local.lambda_names

  alarm_name          = "${each.value}-errors"
  alarm_description   = "${each.value} failed at least 5 times in 5 minutes. Look for the event request_failed in the log group /aws/lambda/${each.value}."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = each.value }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 5
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# The gateway answers 500 for a throttled function as it does for a failing one. This alarm shows which of them it was.
resource "aws_cloudwatch_metric_alarm" "function_throttles" {
  for_each = local.lambda_names

  alarm_name          = "${each.value}-throttles"
  alarm_description   = "Lambda throttled ${each.value}. Raise the account's concurrency limit or the function's reserved_concurrency."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = each.value }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "gateway_errors" {
  alarm_name          = "${local.prefix}-gateway-5xx"
  alarm_description   = "For 10 minutes, more than 5 % of the requests to ${local.prefix} got a 5xx response. See the log group ${aws_cloudwatch_log_group.access.name}."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5XXError"
  dimensions          = { ApiName = aws_api_gateway_rest_api.main.name, Stage = aws_api_gateway_stage.main.stage_name }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 2
  threshold           = 0.05
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "gateway_latency" {
  alarm_name          = "${local.prefix}-gateway-latency"
  alarm_description   = "For 15 minutes, the slowest 1 % of the requests to ${local.prefix} took more than 20 s. The gateway times out at 29 s."
  namespace           = "AWS/ApiGateway"
  metric_name         = "Latency"
  dimensions          = { ApiName = aws_api_gateway_rest_api.main.name, Stage = aws_api_gateway_stage.main.stage_name }
  extended_statistic  = "p99"
  period              = 300
  evaluation_periods  = 3
  threshold           = 20000
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "runner_errors" {
  count = local.runner_on_lambda ? 0 : 1

  alarm_name          = "${local.prefix}-runner-5xx"
  alarm_description   = "${local.prefix}-runner sent at least 5 responses with a 5xx status in 5 minutes. See its application log under /aws/apprunner/${local.prefix}-runner."
  namespace           = "AWS/AppRunner"
  metric_name         = "5xxStatusResponses"
  dimensions          = { ServiceName = aws_apprunner_service.runner[0].service_name, ServiceID = aws_apprunner_service.runner[0].service_id }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 5
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "jobs_clock" {
  alarm_name          = "${local.prefix}-jobs-clock"
  alarm_description   = "EventBridge Scheduler failed to invoke functions of ${local.prefix} at least 3 times in 5 minutes. The runner's jobs do not advance meanwhile."
  namespace           = "AWS/Scheduler"
  metric_name         = "TargetErrorCount"
  dimensions          = { ScheduleGroup = aws_scheduler_schedule_group.main.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "rotation_errors" {
  count = var.enable_service_api_keys ? 1 : 0

  alarm_name          = "${local.prefix}-rotation-errors"
  alarm_description   = "${local.prefix}-rotation failed. The current API keys still work. See the log group /aws/lambda/${local.prefix}-rotation."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = module.rotation[0].function_name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "records_errors" {
  alarm_name          = "${local.prefix}-records-errors"
  alarm_description   = "${local.prefix}-records failed to seal the records of answers. Nothing is lost: the next run seals them. See the log group /aws/lambda/${local.prefix}-records."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = module.records.function_name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "records_failed" {
  alarm_name          = "${local.prefix}-records-failed"
  alarm_description   = "${local.prefix}-chat could not write the record of an answer. Look for the event answer_not_recorded in the log group /aws/lambda/${local.prefix}-chat."
  namespace           = local.metrics_namespace
  metric_name         = "RecordsFailed"
  dimensions          = { Environment = var.environment, Service = "chat" }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# The gateway refuses a caller that has used up its quota for the rest of the period.
resource "aws_cloudwatch_metric_alarm" "quota" {
  for_each = local.api_keys

  alarm_name          = "${local.prefix}-${each.key}-quota"
  alarm_description   = "The API key of ${each.key} has less than 10 % of its quota left. Raise its quota_limit in service_api_keys."
  namespace           = local.metrics_namespace
  metric_name         = "QuotaRemainingPercent"
  dimensions          = { Environment = var.environment, Service = each.key }
  statistic           = "Minimum"
  period              = 3600
  evaluation_periods  = 1
  threshold           = 10
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "ignore"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_budgets_budget" "main" {
  count = var.monthly_budget_usd == null ? 0 : 1

  account_id   = local.account_id
  name         = local.prefix
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  # The budget covers the whole account. Filtered by a cost allocation tag that nobody activated, it would count nothing.
  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type         = notification.key
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

# --- Dashboard -----------------------------------------------------------------------------------------------------

locals {
  # For each subject of a chart: the namespace of its metrics, and the dimensions of each line.
  dashboard_subjects = merge(
    {
      gateway       = { namespace = "AWS/ApiGateway", dimensions = [["ApiName", local.prefix, "Stage", var.environment]] }
      each_function = { namespace = "AWS/Lambda", dimensions = [for name in values(local.lambda_names) : ["FunctionName", name]] }
      app_runner = {
        namespace  = "AWS/AppRunner"
        dimensions = [for runner in aws_apprunner_service.runner : ["ServiceName", runner.service_name, "ServiceID", runner.service_id]]
      }
    },
    # Metrics that the services write themselves (backend/shared/telemetry/metrics.py).
    {
      for subject, services in {
        keys      = keys(local.api_keys)
        services  = local.services
        functions = keys(local.lambda_names)
        models    = ["chat", "s3vector"]
        chat      = ["chat"]
        } : subject => {
        namespace  = local.metrics_namespace
        dimensions = [for service in services : ["Environment", var.environment, "Service", service]]
      }
    },
  )

  dashboard_rows = [
    for row in [
      { title = "Gateway: requests and errors", stat = "Sum", metrics = ["Count", "4XXError", "5XXError"], of = "gateway" },
      { title = "Gateway: latency p99, with and without the services (ms)", stat = "p99", metrics = ["Latency", "IntegrationLatency"], of = "gateway" },
      { title = "Errors by function", stat = "Sum", metrics = ["Errors"], of = "each_function" },
      { title = "Duration p99 by function (ms)", stat = "p99", metrics = ["Duration"], of = "each_function" },
      { title = "Throttles by function", stat = "Sum", metrics = ["Throttles"], of = "each_function" },
      { title = "Quota left by key (%)", stat = "Minimum", metrics = ["QuotaRemainingPercent"], of = "keys" },
      { title = "Services: requests", stat = "Sum", metrics = ["Requests"], of = "services" },
      { title = "Services: errors", stat = "Sum", metrics = ["Errors"], of = "services" },
      { title = "Services: duration p99 (ms)", stat = "p99", metrics = ["Duration"], of = "services" },
      { title = "Services: cold starts", stat = "Sum", metrics = ["ColdStarts"], of = "functions" },
      { title = "Models: tokens in", stat = "Sum", metrics = ["InputTokens"], of = "models" },
      { title = "Models: tokens out", stat = "Sum", metrics = ["OutputTokens"], of = "chat" },
      { title = "Retrieval: score of the best passage", stat = "Average", metrics = ["RetrievalScore"], of = "chat" },
      { title = "Records of answers that could not be written", stat = "Sum", metrics = ["RecordsFailed"], of = "chat" },
      { title = "Runner: requests and errors", stat = "Sum", metrics = ["Requests", "4xxStatusResponses", "5xxStatusResponses"], of = "app_runner" },
      { title = "Runner: latency p99 (ms)", stat = "p99", metrics = ["RequestLatency"], of = "app_runner" },
    ] :
    {
      title = row.title
      stat  = row.stat
      metrics = [
        for line in setproduct(row.metrics, local.dashboard_subjects[row.of].dimensions) :
        concat([local.dashboard_subjects[row.of].namespace, line[0]], line[1])
      ]
    }
  ]
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.prefix

  dashboard_body = jsonencode({
    widgets = [
      for index, row in local.dashboard_rows : {
        type   = "metric"
        x      = index % 2 * 12
        y      = floor(index / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = row.title
          region  = var.aws_region
          view    = "timeSeries"
          stacked = false
          period  = 300
          stat    = row.stat
          metrics = row.metrics
        }
      } if length(row.metrics) > 0
    ]
  })
}

# --- Sampling ------------------------------------------------------------------------------------------------------

# The gateway decides once for the whole trace. The runner's paths contain job ids, and each path becomes a node of the
# service map, so requests for a job's progress are rarely traced.
resource "aws_xray_sampling_rule" "main" {
  for_each = local.tracing ? {
    polls    = { priority = 100, path = "*/runner/jobs*", rate = 0.001, reservoir = 0 }
    health   = { priority = 110, path = "*/health", rate = 0.01, reservoir = 0 }
    requests = { priority = 200, path = "*", rate = var.trace_sample_percent / 100, reservoir = 1 }
  } : {}

  rule_name      = "${local.prefix}-${each.key}"
  priority       = each.value.priority
  version        = 1
  reservoir_size = each.value.reservoir
  fixed_rate     = each.value.rate
  service_name   = "${local.prefix}/${var.environment}" # The name that API Gateway gives a stage in X-Ray.
  service_type   = "AWS::ApiGateway::Stage"
  host           = "*"
  http_method    = "*"
  url_path       = each.value.path
  resource_arn   = "*"
}

# --- Log data protection -------------------------------------------------------------------------------------------

locals {
  service_log_groups = { for service, function in local.service_functions : service => function.log_group_name }

  # Personal data that users may type, and AWS credentials.
  masked_data = [
    for identifier in ["EmailAddress", "CreditCardNumber", "AwsSecretKey", "BankAccountNumber-US", "Ssn-US"] :
    "arn:${local.partition}:dataprotection::aws:data-identifier/${identifier}"
  ]
}

# The services log no bodies. This masks data that reaches a log anyway, mostly in the text of an exception.
resource "aws_cloudwatch_log_data_protection_policy" "service" {
  for_each = local.service_log_groups

  log_group_name = each.value

  policy_document = jsonencode({
    Name    = "${local.prefix}-${each.key}"
    Version = "2021-06-01"
    Statement = [
      {
        Sid            = "audit"
        DataIdentifier = local.masked_data
        Operation      = { Audit = { FindingsDestination = {} } }
      },
      {
        Sid            = "mask"
        DataIdentifier = local.masked_data
        Operation      = { Deidentify = { MaskConfig = {} } }
      },
    ]
  })
}
