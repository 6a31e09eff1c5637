# The permissions of the deploy roles and of the roles that plan, in groups. Each group is written once, for a scope: the
# deploy role of an environment gets all its actions, a role that plans gets the reading ones for the environments that it
# may plan.
#
# terraform/tests record every request of a plan, an apply and a destroy, and check these statements against the record.

locals {
  scopes = merge(
    { for environment in local.environments : environment => [environment] },
    { plan = tolist(var.plan_state_environments) },
  )

  # For each scope, its prefixes ({project}-{environment}) and its paths ({project}/{environment}).
  scope_prefixes = { for scope, environments in local.scopes : scope => [for environment in environments : local.prefixes[environment]] }
  scope_paths    = { for scope, environments in local.scopes : scope => [for environment in environments : "${var.project_name}/${environment}"] }

  groups = {
    for scope, environments in local.scopes : scope => {
      # Terraform State Access
      state = [
        {
          Sid      = "FindState"
          Action   = ["s3:ListBucket"]
          Resource = [local.state_arn]
          Condition = { StringLike = {
            # `init` lists the workspaces under `env:/` even if there are none.
            "s3:prefix" = concat(["env:/"], [for environment in environments : "${environment}/*"])
          } }
        },
        {
          # The lock is an object beside the state, and is deleted when it is released.
          Sid    = "ReadAndWriteState"
          Action = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
          Resource = flatten([for environment in environments : [
            "${local.state_arn}/${environment}/terraform.tfstate",
            "${local.state_arn}/${environment}/terraform.tfstate.tflock",
          ]])
        },
        {
          # What serves, and the release that was applied last (terraform/serving.tf).
          Sid = "ReadAndWriteServing"
          Action = [
            "ssm:AddTagsToResource",
            "ssm:DeleteParameter",
            "ssm:GetParameter",
            "ssm:GetParametersByPath",
            "ssm:ListTagsForResource",
            "ssm:PutParameter",
            "ssm:RemoveTagsFromResource",
          ]
          Resource = flatten([for path in local.scope_paths[scope] : [
            "${local.arn.ssm}:parameter/${path}",
            "${local.arn.ssm}:parameter/${path}/*",
          ]])
        },
        {
          Sid      = "FindServing"
          Action   = ["ssm:DescribeParameters"]
          Resource = ["*"] # This action supports no resource-level permissions.
        },
      ]

      # API Gateway Management, with keys, usage plans, firewall and domain
      api-gateway = local.gateway_statements[scope]

      # S3 Vector Management: the buckets of vectors, jobs and records, Amazon S3 Vectors through CloudFormation, and the
      # tables of conversations and of the records' keys
      s3-vectors = [
        {
          Sid = "Buckets"
          Action = [
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:DeleteBucketPolicy",
            "s3:GetAccelerateConfiguration",
            "s3:GetBucketAcl",
            "s3:GetBucketCORS",
            "s3:GetBucketLocation",
            "s3:GetBucketLogging",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketRequestPayment",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetBucketWebsite",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:PutBucketCORS",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
          ]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : [
            "arn:${local.partition}:s3:::${prefix}-vectors-*",
            "arn:${local.partition}:s3:::${prefix}-jobs-*",
            "arn:${local.partition}:s3:::${prefix}-records-*",
          ]])
        },
        {
          # S3 requires it for a bucket with Object Lock, also without a default retention.
          Sid      = "RecordsLock"
          Action   = ["s3:PutBucketObjectLockConfiguration"]
          Resource = [for prefix in local.scope_prefixes[scope] : "arn:${local.partition}:s3:::${prefix}-records-*"]
        },
        {
          Sid = "VectorBuckets"
          Action = [
            "s3vectors:CreateIndex",
            "s3vectors:CreateVectorBucket",
            "s3vectors:DeleteIndex",
            "s3vectors:DeleteVectorBucket",
            "s3vectors:GetIndex",
            "s3vectors:GetVectorBucket",
            "s3vectors:ListIndexes",
            "s3vectors:ListTagsForResource",
            "s3vectors:TagResource", # CloudFormation gives the stack's tags to the bucket.
            "s3vectors:UntagResource",
          ]
          Resource = [for prefix in local.scope_prefixes[scope] : "${local.arn.s3vectors}:bucket/${prefix}-vectors-*"]
        },
        {
          Sid = "Stacks"
          Action = [
            "cloudformation:CreateStack",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplate",
            "cloudformation:TagResource",
            "cloudformation:UntagResource",
            "cloudformation:UpdateStack",
          ]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : [
            "${local.arn.cloudformation}:stack/${prefix}-s3vectors/*",
            "${local.arn.cloudformation}:stack/${prefix}-streaming/*",
          ]])
        },
        {
          Sid = "Conversations"
          Action = [
            "dynamodb:CreateTable",
            "dynamodb:DeleteTable",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:ListTagsOfResource",
            "dynamodb:TagResource",
            "dynamodb:UntagResource",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTable",
            "dynamodb:UpdateTimeToLive",
          ]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : [
            "${local.arn.dynamodb}:table/${prefix}-conversations",
            "${local.arn.dynamodb}:table/${prefix}-record-keys",
          ]])
        },
      ]

      # Bedrock Invocation (for embeddings): to test whether the account has access to the model
      bedrock = [
        {
          Sid      = "TryEmbeddings"
          Action   = ["bedrock:InvokeModel"]
          Resource = ["arn:${local.partition}:bedrock:${var.aws_region}::foundation-model/amazon.titan-embed-*"]
        },
        {
          # The smoke test and the drift job read when a model reaches its end of life.
          Sid      = "ReadModels"
          Action   = ["bedrock:GetFoundationModel"]
          Resource = ["arn:${local.partition}:bedrock:${var.aws_region}::foundation-model/*"]
        },
      ]

      # Lambda Deployment, with versions, aliases and layers
      lambda = [
        {
          Sid = "Functions"
          Action = [
            "lambda:AddPermission",
            "lambda:CreateAlias",
            "lambda:CreateFunction",
            "lambda:DeleteAlias",
            "lambda:DeleteFunction",
            "lambda:DeleteFunctionConcurrency",
            "lambda:GetAlias",
            "lambda:GetFunction",
            "lambda:GetFunctionCodeSigningConfig",
            "lambda:GetFunctionConcurrency",
            "lambda:GetFunctionConfiguration",
            "lambda:GetPolicy",
            "lambda:InvokeFunction", # The smoke test sends {"test": "secrets"}.
            "lambda:ListAliases",    # An alias's version is never pruned.
            "lambda:ListTags",
            "lambda:ListVersionsByFunction",
            "lambda:PublishVersion",
            "lambda:PutFunctionConcurrency",
            "lambda:RemovePermission",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateAlias",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
          ]
          Resource = [for prefix in local.scope_prefixes[scope] : "${local.arn.lambda}:function:${prefix}-*"]
        },
        {
          # AWS publishes the ADOT layers from an account of its own.
          Sid    = "Layers"
          Action = ["lambda:GetLayerVersion"]
          Resource = [
            "arn:${local.partition}:lambda:${var.aws_region}:901920570463:layer:aws-otel-*",
            "${local.arn.lambda}:layer:${var.project_name}-*",
          ]
        },
        {
          Sid      = "Network"
          Action   = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"]
          Resource = ["*"] # These actions support no resource-level permissions.
        },
      ]

      # App Runner Deployment, with the images that it runs
      apprunner = [
        {
          Sid = "Services"
          Action = [
            "apprunner:CreateAutoScalingConfiguration",
            "apprunner:CreateObservabilityConfiguration",
            "apprunner:CreateService",
            "apprunner:CreateVpcConnector",
            "apprunner:DeleteAutoScalingConfiguration",
            "apprunner:DeleteObservabilityConfiguration",
            "apprunner:DeleteService",
            "apprunner:DeleteVpcConnector",
            "apprunner:DescribeAutoScalingConfiguration",
            "apprunner:DescribeObservabilityConfiguration",
            "apprunner:DescribeService",
            "apprunner:DescribeVpcConnector",
            "apprunner:ListOperations",
            "apprunner:ListTagsForResource",
            "apprunner:TagResource",
            "apprunner:UntagResource",
            "apprunner:UpdateService",
          ]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : [
            for kind in ["autoscalingconfiguration", "observabilityconfiguration", "service", "vpcconnector"] :
            "${local.arn.apprunner}:${kind}/${prefix}-*"
          ]])
        },
        {
          Sid = "ServiceLinkedRoles"
          # Created with the first App Runner service and the first VPC connector of an account.
          Action = ["iam:CreateServiceLinkedRole"]
          Resource = [
            "${local.arn_iam}:role/aws-service-role/apprunner.amazonaws.com/*",
            "${local.arn_iam}:role/aws-service-role/networking.apprunner.amazonaws.com/*",
          ]
          Condition = { StringEquals = {
            "iam:AWSServiceName" = ["apprunner.amazonaws.com", "networking.apprunner.amazonaws.com"]
          } }
        },
        {
          Sid = "Images"
          Action = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeImages",
            "ecr:DescribeRepositories",
            "ecr:GetDownloadUrlForLayer",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
          ]
          Resource = ["${local.arn.ecr}:repository/${var.project_name}/*"]
        },
        {
          Sid      = "ImageLogIn"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = ["*"] # This action supports no resource-level permissions.
        },
      ]

      # CloudWatch Logs, alarms, dashboard, and X-Ray
      logs = [
        {
          Sid = "LogGroups"
          Action = [
            "logs:CreateLogGroup",
            "logs:DeleteDataProtectionPolicy",
            "logs:DeleteLogGroup",
            "logs:DeleteRetentionPolicy",
            "logs:GetDataProtectionPolicy",
            "logs:ListTagsForResource",
            "logs:ListTagsLogGroup",
            "logs:PutDataProtectionPolicy",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
          ]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : [
            for group in ["/aws/lambda/${prefix}-*", "/aws/apigateway/${prefix}/*", "/aws/apprunner/${prefix}-*"] :
            "${local.arn.logs}:log-group:${group}"
          ]])
        },
        {
          Sid      = "FindLogGroups"
          Action   = ["logs:DescribeLogGroups"]
          Resource = ["${local.arn.logs}:log-group:*"]
        },
        {
          Sid = "Alarms"
          Action = [
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
          ]
          Resource = [for prefix in local.scope_prefixes[scope] : "${local.arn.cloudwatch}:alarm:${prefix}-*"]
        },
        {
          Sid      = "Dashboard"
          Action   = ["cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:PutDashboard"]
          Resource = [for prefix in local.scope_prefixes[scope] : "arn:${local.partition}:cloudwatch::${local.account_id}:dashboard/${prefix}"]
        },
        {
          Sid = "Sampling"
          Action = [
            "xray:CreateSamplingRule",
            "xray:DeleteSamplingRule",
            "xray:ListTagsForResource",
            "xray:TagResource",
            "xray:UntagResource",
            "xray:UpdateSamplingRule",
          ]
          Resource = [for prefix in local.scope_prefixes[scope] : "${local.arn.xray}:sampling-rule/${prefix}-*"]
        },
        {
          Sid      = "CanaryMetrics"
          Action   = ["cloudwatch:GetMetricData"]
          Resource = ["*"] # This action supports no resource-level permissions.
        },
        {
          Sid = "ReadTraces"
          # These actions support no resource-level permissions. The smoke test looks for its trace with the second.
          Action   = ["xray:GetSamplingRules", "xray:GetTraceSummaries"]
          Resource = ["*"]
        },
      ]

      # Secrets Manager
      secrets = [
        {
          Sid = "Secrets"
          Action = [
            "secretsmanager:CancelRotateSecret",
            "secretsmanager:CreateSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetResourcePolicy",
            "secretsmanager:GetSecretValue",
            "secretsmanager:ListSecretVersionIds",
            "secretsmanager:PutSecretValue",
            "secretsmanager:RestoreSecret",
            "secretsmanager:RotateSecret",
            "secretsmanager:TagResource",
            "secretsmanager:UntagResource",
            "secretsmanager:UpdateSecret",
            "secretsmanager:UpdateSecretVersionStage",
          ]
          Resource = [for path in local.scope_paths[scope] : "${local.arn.secretsmanager}:secret:${path}/*"]
        },
        {
          Sid = "KeyIds"
          Action = [
            "ssm:AddTagsToResource",
            "ssm:DeleteParameter",
            "ssm:GetParameter",
            "ssm:GetParametersByPath",
            "ssm:ListTagsForResource",
            "ssm:PutParameter",
            "ssm:RemoveTagsFromResource",
          ]
          Resource = flatten([
            for path in local.scope_paths[scope] : ["${local.arn.ssm}:parameter/${path}", "${local.arn.ssm}:parameter/${path}/*"]
          ])
        },
        {
          Sid      = "FindKeyIds"
          Action   = ["ssm:DescribeParameters"]
          Resource = ["*"] # This action supports no resource-level permissions.
        },
        {
          Sid      = "DrawOriginSecret"
          Action   = ["secretsmanager:GetRandomPassword"]
          Resource = ["*"] # This action supports no resource-level permissions.
        },
      ]

      # The services' policies under the environment's path, and their attachment to the roles that this layer creates.
      # No permission to create roles.
      iam = [
        {
          Sid = "Policies"
          Action = [
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:ListPolicyTags",
            "iam:ListPolicyVersions",
            "iam:TagPolicy",
            "iam:UntagPolicy",
          ]
          Resource = [for path in local.scope_paths[scope] : "${local.arn_iam}:policy/${path}/*"]
        },
        {
          Sid    = "Attach"
          Action = ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : [
            for role in concat(["lambda-*", "scheduler"], [for name in local.containers : "apprunner-${name}"]) : "${local.arn_iam}:role/${prefix}-${role}"
          ]])
          Condition = { ArnLike = {
            "iam:PolicyARN" = [for path in local.scope_paths[scope] : "${local.arn_iam}:policy/${path}/*"]
          } }
        },
        {
          Sid    = "ReadRoles"
          Action = ["iam:GetRole", "iam:ListAttachedRolePolicies"]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : [
            for role in ["lambda-*", "apprunner-*", "scheduler"] : "${local.arn_iam}:role/${prefix}-${role}"
          ]])
        },
        {
          Sid    = "PassRoles"
          Action = ["iam:PassRole"]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : [
            for role in ["lambda-*", "apprunner-*", "scheduler"] : "${local.arn_iam}:role/${prefix}-${role}"
          ]])
          Condition = { StringEquals = {
            "iam:PassedToService" = [
              "apprunner.amazonaws.com",
              "build.apprunner.amazonaws.com",
              "lambda.amazonaws.com",
              "scheduler.amazonaws.com",
              "tasks.apprunner.amazonaws.com",
            ]
          } }
        },
      ]

      # Schedules, the alarm topic and the budget
      events = [
        {
          Sid = "Clock"
          Action = [
            "scheduler:CreateSchedule",
            "scheduler:CreateScheduleGroup",
            "scheduler:DeleteSchedule",
            "scheduler:DeleteScheduleGroup",
            "scheduler:GetSchedule",
            "scheduler:GetScheduleGroup",
            "scheduler:ListTagsForResource",
            "scheduler:TagResource",
            "scheduler:UntagResource",
            "scheduler:UpdateSchedule",
          ]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : [
            "${local.arn.scheduler}:schedule-group/${prefix}",
            "${local.arn.scheduler}:schedule/${prefix}/*",
          ]])
        },
        {
          Sid = "Topic"
          Action = [
            "sns:CreateTopic",
            "sns:DeleteTopic",
            "sns:GetSubscriptionAttributes",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:ListTagsForResource",
            "sns:SetTopicAttributes",
            "sns:Subscribe",
            "sns:TagResource",
            "sns:Unsubscribe",
            "sns:UntagResource",
          ]
          Resource = flatten([for prefix in local.scope_prefixes[scope] : ["${local.arn.sns}:${prefix}-alarms", "${local.arn.sns}:${prefix}-alarms:*"]])
        },
        {
          Sid      = "Budget"
          Action   = ["budgets:ListTagsForResource", "budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource", "budgets:ViewBudget"]
          Resource = [for prefix in local.scope_prefixes[scope] : "arn:${local.partition}:budgets::${local.account_id}:budget/${prefix}"]
        },
      ]
    }
  }

  # Only the roles of dev and of developers' environments may delete objects, in order to delete a bucket that is not empty.
  # The provider asks to bypass the governance of a bucket with Object Lock, even if nothing is locked.
  empty_buckets = { for environment in local.disposable : environment => [
    {
      Sid    = "EmptyBuckets"
      Action = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      Resource = [
        for kind in ["vectors", "jobs", "records"] : "arn:${local.partition}:s3:::${local.prefixes[environment]}-${kind}-*/*"
      ]
    },
    {
      Sid      = "EmptyRecords"
      Action   = ["s3:BypassGovernanceRetention"]
      Resource = ["arn:${local.partition}:s3:::${local.prefixes[environment]}-records-*/*"]
    },
  ] }

  deploy_policies = merge([
    for environment, prefix in local.prefixes : {
      for group, statements in local.groups[environment] : "${prefix}-deploy-${group}" => {
        environment = environment
        statements = concat(
          statements,
          group == "s3-vectors" ? lookup(local.empty_buckets, environment, []) : [],
          group == "state" && environment == "prod" ? local.read_saved_plan : [],
        )
      }
      # A developer's environment runs on Lambda alone.
      if group != "apprunner" || contains(var.environments, environment)
    }
  ]...)

  pull_request_role = length(var.plan_state_environments) > 0 ? ["${var.project_name}-plan"] : []

  # The roles that plan, by name, with the scope that each may read.
  plan_roles = merge(
    { for role in local.pull_request_role : role => "plan" },
    { for environment, prefix in local.shared_prefixes : "${prefix}-drift" => environment },
    { for name in local.prod_plan_role : name => "prod" },
  )

  reading = ":(Get|List|Describe|BatchGet|View|GET)"

  # The reading actions of each statement. Statements and groups without any are left out.
  plan_policies = merge([
    for role, scope in local.plan_roles : {
      for group, statements in local.groups[scope] : "${role}-${group}" => {
        role = role
        statements = concat(
          [
            for statement in statements : merge(statement, {
              Action = [for action in statement.Action : action if can(regex(local.reading, action))]
            }) if anytrue([for action in statement.Action : can(regex(local.reading, action))])
          ],
          contains(local.prod_plan_role, role) && group == "state" ? local.write_saved_plan : [],
          # The plan of a first deploy names the image by its digest, so the image is pushed before the plan.
          contains(local.prod_plan_role, role) ? [for statement in statements : merge(statement, { Sid = "PushImages" }) if statement.Sid == "Images"] : [],
        )
      } if anytrue([for action in flatten([for statement in statements : statement.Action]) : can(regex(local.reading, action))])
    }
  ]...)
}

resource "aws_iam_policy" "deploy" {
  for_each = local.deploy_policies

  name        = each.key
  path        = "/${var.project_name}/bootstrap/"
  description = "What a deploy of ${each.value.environment} may do"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in each.value.statements : merge({ Effect = "Allow" }, statement)]
  })
}

resource "aws_iam_role_policy_attachment" "deploy" {
  for_each = local.deploy_policies

  role       = aws_iam_role.deploy[each.value.environment].name
  policy_arn = aws_iam_policy.deploy[each.key].arn
}

resource "aws_iam_policy" "plan" {
  for_each = local.plan_policies

  name        = each.key
  path        = "/${var.project_name}/bootstrap/"
  description = "What a plan may read"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in each.value.statements : merge({ Effect = "Allow" }, statement)]
  })
}

resource "aws_iam_role_policy_attachment" "plan" {
  for_each = local.plan_policies

  role       = each.value.role
  policy_arn = aws_iam_policy.plan[each.key].arn

  depends_on = [aws_iam_role.plan, aws_iam_role.prod_plan, aws_iam_role.drift]
}

# The permissions boundary of a deploy role. It limits what the groups above can grant, and denies access to other
# environments. API Gateway, firewall and DNS have the same conditions here as in the policy.
resource "aws_iam_policy" "deploy_boundary" {
  for_each = local.prefixes

  name        = "${each.value}-deploy-boundary"
  path        = "/${var.project_name}/bootstrap/"
  description = "The most that the deploy role of ${each.key} may do"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([for statement in local.gateway_statements[each.key] : merge({ Effect = "Allow" }, statement)], [
      {
        Sid    = "ServicesInUse"
        Effect = "Allow"
        Action = [
          "apprunner:*",
          "bedrock:GetFoundationModel",
          "bedrock:InvokeModel",
          "budgets:*",
          "cloudformation:*",
          "cloudwatch:*",
          "dynamodb:*",
          "ec2:Describe*",
          "ecr:*",
          "lambda:*",
          "logs:*",
          "s3:*",
          "s3vectors:*",
          "scheduler:*",
          "secretsmanager:*",
          "sns:*",
          "ssm:*",
          "xray:*",
        ]
        Resource = "*"
      },
      {
        Sid    = "RolesAndPoliciesOfTheEnvironment"
        Effect = "Allow"
        Action = [
          "iam:AttachRolePolicy",
          "iam:CreatePolicy",
          "iam:CreatePolicyVersion",
          "iam:CreateServiceLinkedRole",
          "iam:DeletePolicy",
          "iam:DeletePolicyVersion",
          "iam:DetachRolePolicy",
          "iam:GetPolicy",
          "iam:GetPolicyVersion",
          "iam:GetRole",
          "iam:ListAttachedRolePolicies",
          "iam:ListPolicyTags",
          "iam:ListPolicyVersions",
          "iam:PassRole",
          "iam:TagPolicy",
          "iam:UntagPolicy",
        ]
        Resource = [
          "${local.arn_iam}:policy/${var.project_name}/${each.key}/*",
          "${local.arn_iam}:role/${each.value}-lambda-*",
          "${local.arn_iam}:role/${each.value}-apprunner-*",
          "${local.arn_iam}:role/${each.value}-scheduler",
          "${local.arn_iam}:role/aws-service-role/*",
        ]
      },
      {
        # Also what a later policy may allow by mistake. An untagged resource is not denied here: most of AWS's own have none.
        Sid      = "NoOtherEnvironment"
        Effect   = "Deny"
        Action   = "*"
        Resource = "*"
        Condition = {
          StringNotEquals = { "aws:ResourceTag/Environment" = each.key }
          Null            = { "aws:ResourceTag/Environment" = "false" }
        }
      },
      {
        Sid    = "NoOtherState"
        Effect = "Deny"
        Action = ["s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
        NotResource = concat(
          ["${local.state_arn}/${each.key}/*", "${local.state_arn}/plans/${each.key}/*"],
          ["arn:${local.partition}:s3:::${each.value}-*"],
        )
      },
      {
        Sid         = "NoOtherSecrets"
        Effect      = "Deny"
        Action      = ["secretsmanager:DeleteSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
        NotResource = "${local.arn.secretsmanager}:secret:${var.project_name}/${each.key}/*"
      },
      {
        Sid      = "NoBucketOpened"
        Effect   = "Deny"
        Action   = ["s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:DeleteBucket"]
        Resource = local.state_arn
      },
    ])
  })
}
