# One repository for all environments, so that prod runs the image that was tested in dev, by digest.

resource "aws_ecr_repository" "main" {
  for_each = local.repositories

  name                 = "${var.project_name}/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_destroy

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
}

# Releases and commits are counted apart: however often somebody pushes to main, the image that prod serves stays. ECR never
# expires an image by a rule if a rule of higher priority matches its tags, so a commit that became a release stays too.
resource "aws_ecr_lifecycle_policy" "main" {
  for_each = local.repositories

  repository = aws_ecr_repository.main[each.key].name
  policy     = file("${path.module}/ecr-lifecycle.json")
}
