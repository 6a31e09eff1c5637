"""The running estate: creates its parts, starts them concurrently and stops them in order."""

import asyncio
import contextlib
import dataclasses
import json
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from local.aws.bedrock_api import BedrockApi
from local.aws.lambda_invoke import LambdaInvocations
from local.aws.seeding import seed
from local.aws.server import TEST_CREDENTIALS, EmbeddedAws
from local.aws.user_pool import UserPool, create_user_pool
from local.aws.xray_documents import XRayForwarder
from local.bedrock.runtime import Bedrock
from local.blueprint import (
    ENV_FILE_KEYS,
    REGION,
    SERVICES,
    Blueprint,
    Function,
    WebService,
    without_limits,
)
from local.compute.environments import Environment, InitFailedError
from local.compute.functions import FunctionPool, Functions
from local.compute.logs import LogFolder
from local.compute.packages import PACKAGED_HANDLER, packaged_programs
from local.compute.processes import BACKEND, STREAM_RUNTIME, Program
from local.compute.scheduler import Scheduler
from local.compute.web_services import ServiceFailedError, WebServiceHost
from local.console.console import Console
from local.console.parts import Parts
from local.default_estate import default_estate
from local.demo.documents import batches, documents
from local.gateway.faults import FaultyGateway
from local.gateway.gateway import Gateway
from local.gateway.hops import Hops
from local.net.serving import Receive, Scope, Send, Server
from local.net.sockets import bind
from local.options import WRAPPER, Options
from local.overlay import Endpoints, overlay, web_overlay, wrapper_overlay
from local.reload import reload_on_change
from local.traces.api import TracesApi
from local.traces.receiver import OtlpReceiver
from local.traces.store import TraceStore
from services.declared import FILE as DECLARATIONS
from services.declared import declaration

type Report = Callable[[str], None]


class StartError(Exception):
    """The estate cannot start. The message has one line for each part that failed, with the
    reason.
    """


def new_blueprint(*, users: bool = False) -> Blueprint:
    """The default estate, with new random keys."""
    keys = {name: secrets.token_hex(20) for name in (*SERVICES, *ENV_FILE_KEYS.values())}
    return default_estate(keys=keys, origin_secret=secrets.token_hex(20), users=users)


class RunningEstate:
    """Runs everything that `blueprint` describes during its `async with` block.

    `report` is called when a part has started, is reloaded, or has ended by itself. `aws` is an
    embedded AWS in which Terraform has already created the resources. Raises OSError if the port is
    taken, and StartError if a part does not start or the layer of `tracing_mode` "auto" is missing.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        options: Options,
        run_dir: Path,
        report: Report,
        aws: EmbeddedAws | None = None,
    ) -> None:
        tracing = options.tracing or blueprint.tracing
        if tracing == "auto" and options.layer is None:
            raise StartError(
                "tracing_mode is auto, which needs a layer's wrapper: name the folder of an "
                "unpacked ADOT layer with --layer, or another mode with --tracing"
            )
        self._layer = options.layer if tracing == "auto" else None
        self.blueprint = blueprint = without_limits(blueprint) if options.unlimited else blueprint
        self._credentials: dict[str, dict[str, str]] = {}  # by the name of the role
        self._host_variables: dict[str, dict[str, str]] = {}
        self._key_scopes: dict[str, dict[str, str]] = {}  # of services that were reloaded
        self.hops = Hops()
        self.user_pool: UserPool | None = None
        self._options = options
        self._report = report
        self._server = Server(
            self._application,
            bind(options.port),
            allows_origin=self._allows_origin,
        )
        self._logs = LogFolder(run_dir / "logs", show=report if options.verbose else None)
        self._programs = packaged_programs(options.packages, run_dir) if options.packages else {}
        self.functions = Functions(
            FunctionPool(self._with_local_handler(function), self._make_environment)
            for function in blueprint.functions
        )
        invocations = LambdaInvocations(self.functions, asyncio.get_running_loop())
        self._aws = aws or EmbeddedAws()
        self.faults = self._aws.faults
        self._aws.add(BedrockApi(Bedrock()))
        self._aws.add(invocations)
        self.traces = TraceStore(run_dir / "traces.sqlite")
        self._receiver = OtlpReceiver(self.traces)
        self._traces_api = TracesApi(self.traces)
        self._forwarder = XRayForwarder(self.traces, self._aws.url)
        is_traced = tracing != "off"
        self.endpoints = Endpoints(
            api=f"{self._server.url}/{blueprint.api.stage}",
            aws=self._aws.url,
            otlp=self._otlp_url(tracing),
            otlp_grpc=self._receiver.grpc_url if is_traced else None,
        )
        self.gateway = Gateway(
            blueprint.api,
            self.functions,
            self.hops,
            record=self.traces.add if is_traced else None,
            faults=self.faults,
        )
        self._faulty_gateway = FaultyGateway(self.gateway, self.faults)
        self._hosts = [self._host(service) for service in blueprint.web_services]
        self._console = Console(
            Parts(
                blueprint=blueprint,
                variables=self.variables,
                user_pool=lambda: self.user_pool,
                hops=self.hops,
                faults=self.faults,
                traces=self.traces,
                logs=self._logs,
                functions=self.functions,
                hosts=self._hosts,
                usage=self.gateway.usage,
                sample_batches=lambda: batches(documents()),
                is_stand_in=options.bedrock == "local",
            )
        )
        self._exit = contextlib.AsyncExitStack()
        self._background: set[asyncio.Task[None]] = set()

    @property
    def console_url(self) -> str:
        return f"{self._server.url}/"

    def _otlp_url(self, mode: str) -> str | None:
        http = self._receiver.http_url
        return {"sdk": http, "auto": http, "udp": self._receiver.udp_url}.get(mode)

    def variables(self) -> dict[str, str]:
        """The variables of the env file: where everything is, and credentials."""
        return {
            "API_GATEWAY_URL": self.endpoints.api,
            **{
                variable: self.blueprint.api.key_named(name).value
                for variable, name in ENV_FILE_KEYS.items()
            },
            "AWS_ENDPOINT_URL": self.endpoints.aws,
            "OTLP_ENDPOINT": self.endpoints.otlp or "",
            "CONSOLE_URL": self.console_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **TEST_CREDENTIALS,
            "LOG_DIR": str(self._logs.path.absolute()),
        }

    async def __aenter__(self) -> "RunningEstate":
        try:
            await self._start()
        except BaseException:
            await self._exit.aclose()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._exit.aclose()

    async def reload(self, service: str) -> None:
        """Replace the processes of `service` by new ones, with its current code and declaration.

        Raises:
            DeclarationError: services.json is wrong.
        """
        self._key_scopes[service] = {"KEY_SCOPES": json.dumps(declaration().key_scopes(service))}
        for host in self._hosts:
            if host.service.service == service:
                self._host_variables[host.service.role].update(self._key_scopes[service])
                await host.reload()
                return
        await self.functions.of_service(service).reload()

    async def _start(self) -> None:
        self._exit.callback(self._logs.close)
        self._exit.callback(self._aws.stop)
        self._exit.push_async_callback(self._stop_children)
        self._exit.push_async_callback(self.gateway.close)
        self._exit.callback(self.traces.close)
        await self._receiver.start()
        self._exit.push_async_callback(self._receiver.stop)
        await self._server.start()
        self._exit.push_async_callback(self._server.stop)
        self._exit.push_async_callback(self._console.close)
        if self._options.iam != "off":
            await asyncio.to_thread(self._assume_roles)
        self._report(f"starting {self._parts()} (5 to 15 s)")
        await _all(
            self._start_aws(),
            *(self._start_host(host) for host in self._hosts),
            *(
                self._start_function(function)
                for function in self._served()
                if not self._options.cold
            ),
        )
        self._forwarder.start()
        self._exit.push_async_callback(self._forwarder.stop)
        scheduler = Scheduler(self.functions, self.blueprint.schedules)
        scheduler.start()
        self._exit.push_async_callback(scheduler.stop)
        self._exit.push_async_callback(self._stop_background)
        # Last: the estate's own requests to its AWS must not fail.
        for fault in self._options.faults:
            self.faults.order(fault)
            self._report(f"fault {fault.text}")
        if self._options.reload:
            watched = reload_on_change(BACKEND, DECLARATIONS, self.reload, self._report)
            self._in_background(watched)

    def _served(self) -> list[Function]:
        """The functions behind the gateway. Others start at their first scheduled invocation."""
        return [one for one in self.blueprint.functions if one.service in SERVICES]

    def _parts(self) -> str:
        functions = [] if self._options.cold else self._served()
        names = [function.service for function in functions]
        names += [service.service for service in self.blueprint.web_services]
        return ", ".join(names) + ("" if self._options.terraform else " and the embedded AWS")

    async def _start_aws(self) -> None:
        await asyncio.to_thread(self._aws.serve)
        await asyncio.to_thread(seed, self.blueprint, self._aws.url)
        if self._options.users:
            await asyncio.to_thread(self._open_user_pool)
        if not self._options.terraform:  # otherwise `provision` has reported it
            self._report("embedded AWS is up")

    def _assume_roles(self) -> None:
        # Imported here: an estate without roles needs none of it.
        from local.aws.iam.guard import Guard
        from local.aws.iam.roles import Roles

        roles = Roles(self._aws.url)
        services: list[Function | WebService] = [
            *self.blueprint.functions,
            *self.blueprint.web_services,
        ]
        self._credentials = {each.role: roles.assume(each.role) for each in services}
        for role, variables in self._host_variables.items():
            variables.update(self._credentials[role])
        guard = Guard(roles, self._report, enforce=self._options.iam == "enforce")
        self._aws.guard(guard.in_front_of)

    def _open_user_pool(self) -> None:
        # Imported here: it takes a quarter of a second, and few estates have users.
        from joserfc.jwk import KeySet

        from local.gateway.authorizer import CognitoAuthorizer

        pool = create_user_pool(
            self.blueprint.project, f"Aa1.{secrets.token_urlsafe(16)}", self._aws.url
        )
        keys = KeySet.import_key_set(pool.published_keys(self._aws.url))
        self.gateway.authorizer = CognitoAuthorizer(pool.issuer, {pool.client_id}, keys)
        self.user_pool = pool

    async def _start_function(self, function: Function) -> None:
        try:
            await self.functions[function.name].warm()
        except InitFailedError as error:
            raise StartError(f"{function.service} does not start: {error}") from error
        self._report(f"{function.service} is up")

    async def _start_host(self, host: WebServiceHost) -> None:
        try:
            await host.start()
        except ServiceFailedError as error:
            raise StartError(f"{host.service.service} does not start: {error}") from error
        self._report(f"{host.service.service} is up")

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._console.serves(scope["path"]):
            await self._console(scope, receive, send)
        elif self._traces_api.serves(scope["path"]):
            await self._traces_api(scope, receive, send)
        else:
            await self._faulty_gateway(scope, receive, send)

    def _allows_origin(self, scope: Scope, origin: str) -> bool:
        return self.gateway.allows_origin(scope, origin)

    def _with_local_handler(self, function: Function) -> Function:
        """The function with the handler of its local program, a package or the sources."""
        program = self._programs.get(function.service)
        if program is not None:
            return dataclasses.replace(function, handler=program.arguments[0])
        if function.handler == PACKAGED_HANDLER:
            return dataclasses.replace(function, handler=f"{function.service}.handler.handler")
        return function

    def _make_environment(self, function: Function, generation: int) -> Environment:
        source = Program("awslambdaric", (function.handler,))
        program = self._programs.get(function.service, source)
        if function.streams:
            program = dataclasses.replace(program, module=STREAM_RUNTIME)
        variables = overlay(self.endpoints, service=function.service, bedrock=self._options.bedrock)
        variables |= self._credentials.get(function.role, {})
        variables |= self._key_scopes.get(function.service, {})
        if layer := self._layer:
            program = dataclasses.replace(program, wrapper=layer / WRAPPER)
            variables |= wrapper_overlay(self.endpoints)
        return Environment(
            function,
            program,
            variables,
            self._logs[function.service],
            generation=generation,
            report=self._report,
        )

    def _host(self, service: WebService) -> WebServiceHost:
        def set_url(url: str) -> None:
            self.gateway.stage_variables[f"{service.service}_url"] = url

        variables = web_overlay(
            self.endpoints, service=service.service, bedrock=self._options.bedrock
        )
        self._host_variables[service.role] = variables
        return WebServiceHost(
            service,
            self._programs.get(service.service, Program(service.module)),
            variables,
            self._logs[service.service],
            on_url=set_url,
            report=self._report,
        )

    async def _stop_children(self) -> None:
        await asyncio.gather(self.functions.stop(), *(host.stop() for host in self._hosts))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.add(asyncio.create_task(work))

    async def _stop_background(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)


async def _all(*parts: Awaitable[None]) -> None:
    """Await all parts concurrently; one StartError names all that did not start."""
    outcomes = await asyncio.gather(*parts, return_exceptions=True)
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for error in errors:
        if not isinstance(error, StartError):
            raise error
    if errors:
        raise StartError("\n".join(str(error) for error in errors))
