"""Claims that the checks of the doctor try: the models answer, App Runner serves."""

from typing import Final

from deploy.checks import CheckFailed
from deploy.diagnosis import models, runner
from deploy.verification.claims import NotTried, Trial, without_findings

_RUNNING: Final = "RUNNING"


def the_models_answer(trial: Trial) -> str:
    """Create one embedding, and ask the chat model one question."""
    without_findings(models.models, trial.examined)
    variables = trial.examined.variables
    return f"{variables['bedrock_model_id']} and {variables['chat_model_id']} answered"


def app_runner_serves(trial: Trial) -> str:
    """Look for the environment's service, in an account that may use App Runner."""
    if trial.examined.variables["runner_platform"] != "apprunner":
        raise NotTried("the runner of this environment is a function")
    without_findings(runner.runner, trial.examined)
    name = f"{trial.prefix}-runner"
    found = {
        service["ServiceName"]: service["Status"]
        for service in trial.client("apprunner").list_services()["ServiceSummaryList"]
    }
    if name not in found:
        raise NotTried(f"{trial.prefix} is not deployed: App Runner has no service {name}")
    if found[name] != _RUNNING:
        raise CheckFailed(f"the service {name} is {found[name]}")
    return f"the service {name} is running"
