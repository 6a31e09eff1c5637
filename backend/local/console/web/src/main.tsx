import { render } from "preact";
import { App } from "./app";
import { openStream } from "./stream";
import "./style.css";

openStream();
render(<App />, document.getElementById("app")!);
