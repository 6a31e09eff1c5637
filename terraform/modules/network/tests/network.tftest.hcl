mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
}

variables {
  name  = "fin-advisor-dev"
  zones = ["us-east-1a", "us-east-1b"]
}

run "network" {
  command = apply # of mocks: a plan knows no ids

  assert {
    condition     = length(output.vpc_config.subnet_ids) == 2 && length(output.vpc_config.security_group_ids) == 1
    error_message = "The output has the form of the application layer's vpc_config."
  }

  assert {
    condition     = alltrue([for zone in var.zones : aws_route.nat[zone].nat_gateway_id == aws_nat_gateway.main[zone].id]) && alltrue([for route in values(aws_route.nat) : route.destination_cidr_block == "0.0.0.0/0"])
    error_message = "Each private subnet reaches the REGIONAL API through the NAT gateway of its zone."
  }

  assert {
    condition     = length(distinct([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : subnet.cidr_block])) == 4
    error_message = "The subnets' ranges do not overlap."
  }

  assert {
    condition     = toset(values(aws_vpc_endpoint.gateway)[*].service_name) == toset(["com.amazonaws.us-east-1.dynamodb", "com.amazonaws.us-east-1.s3"]) && toset(keys(aws_vpc_endpoint.interface)) == toset(["bedrock-runtime", "secretsmanager", "xray"]) && alltrue(values(aws_vpc_endpoint.interface)[*].private_dns_enabled)
    error_message = "S3 and DynamoDB have gateway endpoints, and the other services interface endpoints with private names."
  }

  assert {
    condition     = aws_default_security_group.main.vpc_id == aws_vpc.main.id
    error_message = "The VPC's default security group is managed, so that Terraform removes its rules."
  }
}

run "an_endpoint_that_hides_the_regional_api_is_refused" {
  command         = plan
  expect_failures = [var.interface_endpoints, var.zones, var.cidr]

  variables {
    interface_endpoints = ["execute-api"]
    zones               = ["us-east-1a"]
    cidr                = "10.20.0.0/24"
  }
}
