# The canary's variables: off by default, and read by the pipeline as an output.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment = "dev"
}

run "off_by_default" {
  command = plan

  assert {
    condition     = output.canary == { percent = 0, minutes = 10, metrics_namespace = "fin-advisor" }
    error_message = "Without canary_percent, new versions are promoted at once."
  }
}

run "share_and_duration" {
  command = plan

  variables {
    canary_percent = 5
    canary_minutes = 15
  }

  assert {
    condition     = output.canary.percent == 5 && output.canary.minutes == 15
    error_message = "The pipeline reads share and duration."
  }
}

run "wrong_values_are_refused" {
  command         = plan
  expect_failures = [var.canary_percent, var.canary_minutes]

  variables {
    canary_percent = 60
    canary_minutes = 0
  }
}
