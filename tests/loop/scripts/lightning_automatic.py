"""Lightning with automatic optimization: accumulation, clipping, a schedule per step, a validation per epoch."""

import lightning
import torch
from parts import data, small_vit
from torch.nn import functional
from torch.utils.data import DataLoader


class Classifier(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.model = small_vit(proj_drop_rate=0.1)

    def training_step(self, batch, _index):
        images, labels = batch
        return functional.cross_entropy(self.model(images), labels)

    def validation_step(self, batch, _index):
        images, labels = batch
        self.log("loss", functional.cross_entropy(self.model(images), labels))

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def main() -> None:
    torch.manual_seed(0)
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=20,
        accumulate_grad_batches=2,
        gradient_clip_val=1.0,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Classifier(), DataLoader(data(), batch_size=4, shuffle=True), DataLoader(data(8), batch_size=4))


if __name__ == "__main__":
    main()
