/** What commands work with. */

import type { LogOutputChannel, Memento } from "vscode";
import type { Keys } from "./keys.js";
import type { Session } from "./session.js";
import type { AnswerView } from "./ui/answer_view.js";
import type { ReportView } from "./ui/report_view.js";

export interface Parts {
  session: Session;
  keys: Keys;
  report: ReportView;
  answers: AnswerView;
  output: LogOutputChannel;
  state: Memento;
}
