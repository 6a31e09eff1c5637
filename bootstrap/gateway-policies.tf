# What a role may do with API Gateway, the firewall and DNS. API Gateway's ARNs contain ids and no names, so these statements
# tell the environments apart by tag: `aws:RequestTag` where a resource is created, `aws:ResourceTag` everywhere else. Methods,
# integrations, deployments and stages inherit the tags of their REST API, keys' attachments those of the usage plan, and
# mappings those of the domain name. SECURITY.md says what IAM cannot see.

locals {
  gateway_kinds = ["apikeys", "domainnames", "restapis", "usageplans"]
  gateway_items = [for kind in local.gateway_kinds : "${local.arn_apigateway}/${kind}/*"]
  gateway_tags  = "${local.arn_apigateway}/tags/*" # followed by the ARN of a resource

  # For each scope: the tags of its own resources, and of requests that create or tag one. A missing Project is accepted,
  # another project's is not.
  own_resource = { for scope, environments in local.scopes : scope => {
    StringEquals         = { "aws:ResourceTag/Environment" = environments }
    StringEqualsIfExists = { "aws:ResourceTag/Project" = [var.project_name], "aws:RequestTag/Environment" = environments }
  } }
  own_request = { for scope, environments in local.scopes : scope => {
    StringEquals         = { "aws:RequestTag/Environment" = environments }
    StringEqualsIfExists = { "aws:RequestTag/Project" = [var.project_name], "aws:ResourceTag/Environment" = environments }
  } }

  # For each scope: the records that it may change, of the zones that the variable names.
  scope_records = { for scope, environments in local.scopes : scope => {
    for environment in environments : environment => var.dns_records[environment] if contains(keys(var.dns_records), environment)
  } }

  gateway_statements = { for scope, environments in local.scopes : scope => concat(
    [
      {
        Sid       = "GatewayCreate"
        Action    = ["apigateway:POST"]
        Resource  = [for kind in local.gateway_kinds : "${local.arn_apigateway}/${kind}"]
        Condition = local.own_request[scope]
      },
      {
        # Not the collections: AWS cannot restrict `GET /apikeys` to some keys, and it can return their values.
        Sid       = "Gateway"
        Action    = ["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"]
        Resource  = local.gateway_items
        Condition = local.own_resource[scope]
      },
      {
        # To tag a resource takes PATCH on the resource and PUT on /tags/{arn}. A new resource has no tag yet.
        Sid       = "GatewayTagItem"
        Action    = ["apigateway:PATCH"]
        Resource  = local.gateway_items
        Condition = local.own_request[scope]
      },
      {
        Sid       = "GatewayTag"
        Action    = ["apigateway:POST", "apigateway:PUT"]
        Resource  = [local.gateway_tags]
        Condition = local.own_request[scope]
      },
      {
        Sid       = "GatewayOtherTags"
        Action    = ["apigateway:DELETE", "apigateway:GET", "apigateway:PUT"]
        Resource  = [local.gateway_tags]
        Condition = local.own_resource[scope]
      },
      {
        # Without its tag, a resource would belong to no environment.
        Sid       = "GatewayKeepTags"
        Effect    = "Deny"
        Action    = ["apigateway:DELETE"]
        Resource  = [local.gateway_tags]
        Condition = { "ForAnyValue:StringEquals" = { "aws:TagKeys" = ["Environment", "Project"] } }
      },
      {
        # AWS WAF requires this action of API Gateway to attach and to detach a web ACL.
        Sid       = "FirewallOfStage"
        Action    = ["apigateway:SetWebACL"]
        Resource  = ["${local.arn_apigateway}/restapis/*/stages/*"]
        Condition = local.own_resource[scope]
      },
      {
        # IfExists: AWS WAF documents no tags of API Gateway's resources. FirewallOfStage decides where it sends none.
        Sid       = "Firewall"
        Action    = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACLForResource"]
        Resource  = ["${local.arn_apigateway}/restapis/*/stages/*"]
        Condition = { StringEqualsIfExists = { "aws:ResourceTag/Environment" = environments } }
      },
      {
        Sid      = "FirewallRules"
        Action   = ["wafv2:AssociateWebACL", "wafv2:GetWebACL"]
        Resource = ["${local.arn.wafv2}:regional/webacl/*"]
      },
      {
        Sid      = "ServiceLinkedRole"
        Action   = ["iam:CreateServiceLinkedRole"]
        Resource = ["${local.arn_iam}:role/aws-service-role/ops.apigateway.amazonaws.com/*"]
        Condition = { StringEquals = {
          "iam:AWSServiceName" = ["ops.apigateway.amazonaws.com"]
        } }
      },
    ],
    flatten([for environment, records in local.scope_records[scope] : [
      {
        Sid      = "DomainRecord${title(environment)}"
        Action   = ["route53:ChangeResourceRecordSets"]
        Resource = ["arn:${local.partition}:route53:::hostedzone/${records.zone_id}"]
        Condition = {
          "ForAllValues:StringEquals" = { "route53:ChangeResourceRecordSetsNormalizedRecordNames" = sort(records.names) }
          # ForAllValues is met where the key is missing.
          Null = { "route53:ChangeResourceRecordSetsNormalizedRecordNames" = "false" }
        }
      },
      {
        Sid      = "DomainZone${title(environment)}"
        Action   = ["route53:GetChange", "route53:GetHostedZone", "route53:ListResourceRecordSets"]
        Resource = ["arn:${local.partition}:route53:::change/*", "arn:${local.partition}:route53:::hostedzone/${records.zone_id}"]
      },
    ]]),
  ) }
}
