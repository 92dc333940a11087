// The dashboard held against Grafana's own types; the test puts its JSON in the place of BOARD and runs `tsc --noEmit`.
// Grafana's Panel leaves type, options and targets open, so the plugins' own types are asked for those.
import type { AnnotationQuery, Dashboard, FieldConfig, Panel, RowPanel } from "@grafana/schema";
import type * as heatmap from "./node_modules/@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as stat from "./node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as states from "./node_modules/@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as lines from "./node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// JSON has strings where TypeScript has enums of strings.
type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

interface Query {
  refId: string;
  datasource: { type: "prometheus"; uid: string };
  editorMode: "code";
  expr: string;
  format: "time_series" | "heatmap";
  instant: boolean;
  legendFormat: string;
  range: boolean;
}

type Common = Plain<Omit<Panel, "type" | "options" | "targets" | "fieldConfig">> & { targets: Query[] };
type Of<Type, Options, Custom> = Common & {
  type: Type;
  options: Plain<Options>;
  fieldConfig: {
    defaults: Plain<Omit<FieldConfig, "custom">> & { custom: Plain<Custom> };
    overrides: Array<{ matcher: { id: "byRegexp"; options: string }; properties: Array<{ id: string; value: unknown }> }>;
  };
};

type Placed =
  | Of<"timeseries", lines.Options, lines.FieldConfig>
  | Of<"stat", stat.Options, Record<string, never>>
  | Of<"state-timeline", states.Options, states.FieldConfig>
  | Of<"heatmap", heatmap.Options, heatmap.FieldConfig>
  | Plain<RowPanel>;

// What the Prometheus data source reads of an annotation, beside what all of them have.
type Annotation = Plain<AnnotationQuery> & {
  expr: string;
  step: string;
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
};

type Board = Plain<Omit<Dashboard, "annotations" | "panels" | "templating">> & {
  annotations: { list: Annotation[] };
  panels: Placed[];
  templating: { list: Array<Plain<NonNullable<NonNullable<Dashboard["templating"]>["list"]>[number]> & { definition?: string }> };
};

const board = BOARD satisfies Board;

export const whole: Plain<Dashboard> = board;
