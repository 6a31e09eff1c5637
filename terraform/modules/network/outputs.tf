output "vpc_config" {
  description = "Value of the application layer's variable vpc_config."
  value = {
    subnet_ids         = [for zone in var.zones : aws_subnet.private[zone].id]
    security_group_ids = [aws_security_group.services.id]
  }
}

output "egress_addresses" {
  description = "Addresses from which the services call the Internet."
  value       = values(aws_eip.nat)[*].public_ip
}
