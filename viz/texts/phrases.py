"""The sentences of the steps, in the languages that the views speak: templates for the parts of a sentence.

A template has {names} of slots and nothing else in braces, so that `str.format` here and a line of script in a page
fill it alike. The slots are the same in every language. A moment is one template, or several in a row: "rule more held"
is the rule, the sum that its value comes to, and what was there before this pass. "stop" ends every sentence.
"""

from __future__ import annotations

PHRASES = {
    "en": {
        "forward": "Step {i} of {n}, forward: {equation}",
        "forward_unknown": "Step {i} of {n}, forward: {equation}, a value that was not kept",
        "transpose": "Step {i} of {n}, backward through {op} to {name}: the shapes must fit, so {matrix} {shape} is "
        "transposed to {full}: {equation}",
        "rule": "Step {i} of {n}, backward through {op} to {name}: {equation}",
        "sum": "Step {i} of {n}, backward through {op} to {name}: {name} {shape} was stretched to {full}, so sum over "
        "axis {axes}: {equation}",
        "first": "; {name}.grad is {after}, use {use} of {uses}",
        "more": "; {name}.grad: {total}, use {use} of {uses}",
        "pass": "; this pass: {after}, use {use} of {uses}",
        "pass_more": "; this pass: {total}, use {use} of {uses}",
        "held": "; {name}.grad already held {held} from before: {grown} (zero_grad() was not called)",
        "update": "Step {i} of {n}, update of {name}: {equation}",
        "update_to": "Step {i} of {n}, update of {name}: {before} becomes {after}",
        "stop": ".",
    },
    "zh": {
        "forward": "第 {i} 步（共 {n} 步），前向传播：{equation}",
        "forward_unknown": "第 {i} 步（共 {n} 步），前向传播：{equation}，其值未保留",
        "transpose": "第 {i} 步（共 {n} 步），经 {op} 反向传播到 {name}：为使形状匹配，"
        "将 {matrix} {shape} 转置为 {full}：{equation}",
        "rule": "第 {i} 步（共 {n} 步），经 {op} 反向传播到 {name}：{equation}",
        "sum": "第 {i} 步（共 {n} 步），经 {op} 反向传播到 {name}：{name} {shape} 曾被广播为 {full}，"
        "因此沿轴 {axes} 求和：{equation}",
        "first": "；{name} 的梯度为 {after}（第 {use} 次使用，共 {uses} 次）",
        "more": "；{name} 的梯度累加为 {total}（第 {use} 次使用，共 {uses} 次）",
        "pass": "；本次反向传播得到 {after}（第 {use} 次使用，共 {uses} 次）",
        "pass_more": "；本次反向传播累加为 {total}（第 {use} 次使用，共 {uses} 次）",
        "held": "；{name}.grad 中原已有 {held}：{grown}（未调用 zero_grad()）",
        "update": "第 {i} 步（共 {n} 步），更新 {name}：{equation}",
        "update_to": "第 {i} 步（共 {n} 步），更新 {name}：由 {before} 变为 {after}",
        "stop": "。",
    },
    "ja": {
        "forward": "ステップ {i}/{n}、順伝播：{equation}",
        "forward_unknown": "ステップ {i}/{n}、順伝播：{equation}（値は保存されていない）",
        "transpose": "ステップ {i}/{n}、{op} から {name} への逆伝播：形状を合わせるため {matrix} {shape} を {full} に"
        "転置する：{equation}",
        "rule": "ステップ {i}/{n}、{op} から {name} への逆伝播：{equation}",
        "sum": "ステップ {i}/{n}、{op} から {name} への逆伝播：{name} {shape} は {full} に"
        "ブロードキャストされたので、軸 {axes} に沿って和をとる：{equation}",
        "first": "、{name} の勾配は {after}（使用 {uses} 回中 {use} 回目）",
        "more": "、{name} の勾配に加算して {total}（使用 {uses} 回中 {use} 回目）",
        "pass": "、今回の逆伝播では {after}（使用 {uses} 回中 {use} 回目）",
        "pass_more": "、今回の逆伝播では加算して {total}（使用 {uses} 回中 {use} 回目）",
        "held": "、{name}.grad には以前の {held} が残っていた：{grown}（zero_grad() が呼ばれていない）",
        "update": "ステップ {i}/{n}、{name} の更新：{equation}",
        "update_to": "ステップ {i}/{n}、{name} の更新：{before} から {after} へ",
        "stop": "。",
    },
}
