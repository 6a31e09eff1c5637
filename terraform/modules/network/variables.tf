variable "name" {
  type        = string
  description = "First part of the names of all resources."
}

variable "cidr" {
  type        = string
  description = "IPv4 range of the network, from /16 to /20: each subnet gets a sixteenth."
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "Write cidr as a range from /16 to /20, such as \"10.20.0.0/16\"."
  }
}

variable "zones" {
  type        = list(string)
  description = "Availability zones of the subnets, such as [\"us-east-1a\", \"us-east-1b\"]."

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 8 && length(distinct(var.zones)) == length(var.zones)
    error_message = "Name two to eight different availability zones in zones."
  }
}

variable "interface_endpoints" {
  type        = set(string)
  description = "Services that are reached through an interface endpoint instead of the NAT gateway. An endpoint costs less than the NAT gateway from about 210 GB a month and zone; it also keeps traffic off the Internet."
  default     = ["bedrock-runtime", "secretsmanager", "xray"]

  validation {
    condition     = !contains(var.interface_endpoints, "execute-api")
    error_message = "Leave execute-api out of interface_endpoints: with its private name, the services could no longer reach their REGIONAL API."
  }
}
